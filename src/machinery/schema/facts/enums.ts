/** Fields that take one of a few words: what OpenAPI and `kubectl explain` tell of them. By definition, then field. */
type Enums = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>

const protocol = ['SCTP', 'TCP', 'UDP']
const pull = ['Always', 'IfNotPresent', 'Never']
const messages = ['FallbackToLogsOnError', 'File']
const effects = ['NoExecute', 'NoSchedule', 'PreferNoSchedule']
const profiles = ['Localhost', 'RuntimeDefault', 'Unconfined']
const preemption = ['Never', 'PreemptLowerPriority']
const reclaim = ['Delete', 'Recycle', 'Retain']
const modes = ['Block', 'Filesystem']
const traffic = ['Cluster', 'Local']
const honour = ['Honor', 'Ignore']
const container = { imagePullPolicy: pull, terminationMessagePolicy: messages }
const webhook = {
  failurePolicy: ['Fail', 'Ignore'],
  matchPolicy: ['Equivalent', 'Exact'],
  sideEffects: ['None', 'NoneOnDryRun', 'Some', 'Unknown'],
}

const core: Enums = {
  AppArmorProfile: { type: profiles },
  AzureDiskVolumeSource: { cachingMode: ['None', 'ReadOnly', 'ReadWrite'], kind: ['Dedicated', 'Managed', 'Shared'] },
  Container: container,
  ContainerPort: { protocol },
  EndpointPort: { protocol },
  EphemeralContainer: container,
  HTTPGetAction: { scheme: ['HTTP', 'HTTPS'] },
  HostPathVolumeSource: { type: ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'] },
  ImageVolumeSource: { pullPolicy: pull },
  NamespaceStatus: { phase: ['Active', 'Terminating'] },
  NodeSelectorRequirement: { operator: ['DoesNotExist', 'Exists', 'Gt', 'In', 'Lt', 'NotIn'] },
  NodeStatus: { phase: ['Pending', 'Running', 'Terminated'] },
  PersistentVolumeClaimSpec: { volumeMode: modes },
  PersistentVolumeClaimStatus: { phase: ['Bound', 'Lost', 'Pending'] },
  PersistentVolumeSpec: { persistentVolumeReclaimPolicy: reclaim, volumeMode: modes },
  PersistentVolumeStatus: { phase: ['Available', 'Bound', 'Failed', 'Pending', 'Released'] },
  PodSecurityContext: { fsGroupChangePolicy: ['Always', 'OnRootMismatch'], supplementalGroupsPolicy: ['Merge', 'Strict'] },
  PodSpec: {
    dnsPolicy: ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'],
    preemptionPolicy: preemption,
    restartPolicy: ['Always', 'Never', 'OnFailure'],
  },
  PodStatus: { phase: ['Failed', 'Pending', 'Running', 'Succeeded', 'Unknown'], qosClass: ['BestEffort', 'Burstable', 'Guaranteed'] },
  PortStatus: { protocol },
  ScopedResourceSelectorRequirement: {
    operator: ['DoesNotExist', 'Exists', 'In', 'NotIn'],
    scopeName: ['BestEffort', 'CrossNamespacePodAffinity', 'NotBestEffort', 'NotTerminating', 'PriorityClass', 'Terminating', 'VolumeAttributesClass'],
  },
  SeccompProfile: { type: profiles },
  SecurityContext: { procMount: ['Default', 'Unmasked'] },
  ServicePort: { protocol },
  ServiceSpec: {
    externalTrafficPolicy: traffic,
    internalTrafficPolicy: traffic,
    ipFamilyPolicy: ['PreferDualStack', 'RequireDualStack', 'SingleStack'],
    sessionAffinity: ['ClientIP', 'None'],
    type: ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'],
  },
  Taint: { effect: effects },
  Toleration: { effect: effects, operator: ['Equal', 'Exists', 'Gt', 'Lt'] },
  TopologySpreadConstraint: { nodeAffinityPolicy: honour, nodeTaintsPolicy: honour, whenUnsatisfiable: ['DoNotSchedule', 'ScheduleAnyway'] },
}

const packages: Readonly<Record<string, Enums>> = {
  'io.k8s.api.admissionregistration.v1': { MutatingWebhook: { ...webhook, reinvocationPolicy: ['IfNeeded', 'Never'] }, ValidatingWebhook: webhook },
  'io.k8s.api.apps.v1': {
    DaemonSetUpdateStrategy: { type: ['OnDelete', 'RollingUpdate'] },
    DeploymentStrategy: { type: ['Recreate', 'RollingUpdate'] },
    StatefulSetSpec: { podManagementPolicy: ['OrderedReady', 'Parallel'] },
    StatefulSetUpdateStrategy: { type: ['OnDelete', 'RollingUpdate'] },
  },
  'io.k8s.api.batch.v1': {
    CronJobSpec: { concurrencyPolicy: ['Allow', 'Forbid', 'Replace'] },
    JobSpec: { completionMode: ['Indexed', 'NonIndexed'], podReplacementPolicy: ['Failed', 'TerminatingOrFailed'] },
    PodFailurePolicyOnExitCodesRequirement: { operator: ['In', 'NotIn'] },
    PodFailurePolicyRule: { action: ['Count', 'FailIndex', 'FailJob', 'Ignore'] },
  },
  'io.k8s.api.core.v1': core,
  'io.k8s.api.discovery.v1': { EndpointSlice: { addressType: ['FQDN', 'IPv4', 'IPv6'] } },
  'io.k8s.api.networking.v1': {
    HTTPIngressPath: { pathType: ['Exact', 'ImplementationSpecific', 'Prefix'] },
    NetworkPolicyPort: { protocol },
  },
  'io.k8s.api.policy.v1': { PodDisruptionBudgetSpec: { unhealthyPodEvictionPolicy: ['AlwaysAllow', 'IfHealthyBudget'] } },
  'io.k8s.api.scheduling.v1': { PriorityClass: { preemptionPolicy: preemption } },
  'io.k8s.api.storage.v1': { StorageClass: { reclaimPolicy: reclaim, volumeBindingMode: ['Immediate', 'WaitForFirstConsumer'] } },
}

export function enumOf(definition: string, field: string): readonly string[] | undefined {
  const dot = definition.lastIndexOf('.')
  return packages[definition.slice(0, dot)]?.[definition.slice(dot + 1)]?.[field]
}

/** All definitions that have such fields, with the fields' names. */
export function* definitionsWithEnums(): Generator<[definition: string, fields: string[]]> {
  for (const [name, types] of Object.entries(packages)) for (const [type, fields] of Object.entries(types)) yield [`${name}.${type}`, Object.keys(fields)]
}
