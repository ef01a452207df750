/**
 * Fields that mean something when they are zero, false or empty. Upstream's encoder writes each plain field even
 * when it is unset, and only these (pointers in Go) when they are set; of all others a zero is the same as nothing.
 */
const names =
  'activeDeadlineSeconds allocateLoadBalancerNodePorts allowPrivilegeEscalation allowVolumeExpansion appProtocol attachRequired ' +
  'automountServiceAccountToken averageUtilization backoffLimit backoffLimitPerIndex blockOwnerDeletion completions controller ' +
  'defaultMode deletionGracePeriodSeconds enableServiceLinks expirationSeconds failedJobsHistoryLimit fsGroup fsGroupPolicy ' +
  'gracePeriodSeconds hostUsers immutable leaseDurationSeconds leaseTransitions manualSelector maxFailedIndexes maxSurge maxUnavailable ' +
  'minAvailable minDomains minReplicas mode namespaceSelector optional orphanDependents parallelism partition podInfoOnMount ' +
  'preemptionPolicy privileged progressDeadlineSeconds readOnlyRootFilesystem ready replicas requiresRepublish revisionHistoryLimit ' +
  'runAsGroup runAsNonRoot runAsUser seLinuxMount serving setHostnameAsFQDN shareProcessNamespace stabilizationWindowSeconds ' +
  'startingDeadlineSeconds storageCapacity storageClassName successfulJobsHistoryLimit suspend terminating terminationGracePeriodSeconds ' +
  'tolerationSeconds ttlSecondsAfterFinished volumeAttributesClassName'

export const pointerFields: ReadonlySet<string> = new Set(names.split(' '))
