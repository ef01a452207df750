/**
 * Go writes fields that are not pointers even when they are zero, and leaves them out of JSON: what is zero on the
 * wire was not set. These fields are pointers in the API: their zero was meant (`replicas: 0`).
 */
export const meantWhenZero: ReadonlySet<string> = new Set(
  `activeDeadlineSeconds allocateLoadBalancerNodePorts allowPrivilegeEscalation allowVolumeExpansion attachRequired
  automountServiceAccountToken backoffLimit backoffLimitPerIndex blockOwnerDeletion completions controller
  defaultMode deletionGracePeriodSeconds enableServiceLinks expirationSeconds failedJobsHistoryLimit fsGroup
  fsGroupChangePolicy gracePeriodSeconds hostUsers immutable leaseDurationSeconds leaseTransitions manualSelector
  maxFailedIndexes minReplicas mode nodeStageSecretRef optional orphanDependents parallelism partition podInfoOnMount
  podReplacementPolicy priority privileged progressDeadlineSeconds readOnlyRootFilesystem ready recursiveReadOnly
  replicas requiresRepublish revisionHistoryLimit runAsGroup runAsNonRoot runAsUser seLinuxMount serving
  setHostnameAsFQDN shareProcessNamespace stabilizationWindowSeconds startingDeadlineSeconds started storageCapacity
  storageClassName successfulJobsHistoryLimit suspend terminating terminationGracePeriodSeconds timeoutSeconds
  tolerationSeconds ttlSecondsAfterFinished volumeAttributesClassName`.split(/\s+/),
)

/** The same, where the name has another meaning elsewhere: by `model.field`. */
export const meantWhenZeroIn: ReadonlySet<string> = new Set(['DiscoveryV1EndpointPort.name', 'DiscoveryV1EndpointPort.port'])

/** Never pointers though their name is in the list: counts of a status, seconds of a probe. */
export const neverMeant: ReadonlySet<string> = new Set([
  'V1Probe.timeoutSeconds',
  'V1DeploymentStatus.replicas',
  'V1ReplicaSetStatus.replicas',
  'V1StatefulSetStatus.replicas',
  'V1ReplicationControllerStatus.replicas',
  'V1ScaleStatus.replicas',
  'V1ContainerStatus.ready',
  'V1HTTPIngressPath.priority',
])
