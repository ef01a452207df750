import { apiPackage, atomic, mergedBy, quantity, set } from './api-package.ts'

export const storageV1 = apiPackage(
  'io.k8s.api.storage.v1',
  {
    CSIDriverSpec: {
      tokenRequests: atomic,
      volumeLifecycleModes: set,
    },
    CSINodeDriver: {
      topologyKeys: atomic,
    },
    CSINodeSpec: {
      drivers: mergedBy('name'),
    },
    CSIStorageCapacity: {
      capacity: quantity,
      maximumVolumeSize: quantity,
    },
    StorageClass: {
      allowedTopologies: atomic,
      mountOptions: atomic,
    },
  },
  `
  CSIDriver CSIDriverList CSINode CSINodeList CSIStorageCapacityList StorageClassList TokenRequest VolumeAttachment
  VolumeAttachmentList VolumeAttachmentSource VolumeAttachmentSpec VolumeAttachmentStatus VolumeAttributesClass
  VolumeAttributesClassList VolumeError VolumeNodeResources
  `,
)

export const storageV1beta1 = apiPackage(
  'io.k8s.api.storage.v1beta1',
  {},
  `
  VolumeAttributesClass VolumeAttributesClassList
  `,
)
