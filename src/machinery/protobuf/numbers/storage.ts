/** Field numbers on the wire; `2.1` is field 1 of an embedded message that is field 2. */
export const storage: Readonly<Record<string, string>> = {
  StorageV1TokenRequest: 'audience 1, expirationSeconds 2',
  V1CSIDriver: 'metadata 1, spec 2',
  V1CSIDriverSpec:
    'attachRequired 1, podInfoOnMount 2, volumeLifecycleModes 3, storageCapacity 4, fsGroupPolicy 5, tokenRequests 6, requiresRepublish 7, seLinuxMount 8, nodeAllocatableUpdatePeriodSeconds 9',
  V1CSINode: 'metadata 1, spec 2',
  V1CSINodeDriver: 'name 1, nodeID 2, topologyKeys 3, allocatable 4',
  V1CSINodeSpec: 'drivers 1',
  V1CSIStorageCapacity: 'metadata 1, nodeTopology 2, storageClassName 3, capacity 4, maximumVolumeSize 5',
  V1StorageClass: 'metadata 1, provisioner 2, parameters 3, reclaimPolicy 4, mountOptions 5, allowVolumeExpansion 6, volumeBindingMode 7, allowedTopologies 8',
  V1VolumeAttachment: 'metadata 1, spec 2, status 3',
  V1VolumeAttachmentSource: 'persistentVolumeName 1, inlineVolumeSpec 2',
  V1VolumeAttachmentSpec: 'attacher 1, source 2, nodeName 3',
  V1VolumeAttachmentStatus: 'attached 1, attachmentMetadata 2, attachError 3, detachError 4',
  V1VolumeError: 'time 1, message 2, errorCode 3',
  V1VolumeNodeResources: 'count 1',
}
