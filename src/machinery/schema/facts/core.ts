import { apiPackage, atomic, atomicStruct, keyedBy, mergedBy, quantity, set } from './api-package.ts'

export const coreV1 = apiPackage(
  'io.k8s.api.core.v1',
  {
    AzureDiskVolumeSource: {
      cachingMode: { default: 'ReadWrite' },
      fsType: { default: 'ext4' },
      kind: { default: 'Shared' },
    },
    Capabilities: {
      add: atomic,
      drop: atomic,
    },
    CephFSPersistentVolumeSource: {
      monitors: atomic,
    },
    CephFSVolumeSource: {
      monitors: atomic,
    },
    ComponentStatus: {
      conditions: mergedBy('type'),
    },
    ConfigMapKeySelector: {
      '': atomicStruct,
    },
    ConfigMapProjection: {
      items: atomic,
    },
    ConfigMapVolumeSource: {
      items: atomic,
    },
    Container: {
      args: atomic,
      command: atomic,
      env: mergedBy('name'),
      envFrom: atomic,
      ports: { list: 'map', keys: ['containerPort', 'protocol'], patch: ['merge'], mergeKey: 'containerPort' },
      resizePolicy: atomic,
      restartPolicyRules: atomic,
      volumeDevices: mergedBy('devicePath'),
      volumeMounts: mergedBy('mountPath'),
    },
    ContainerImage: {
      names: atomic,
    },
    ContainerPort: {
      protocol: { default: 'TCP' },
    },
    ContainerRestartRuleOnExitCodes: {
      values: set,
    },
    ContainerStatus: {
      allocatedResources: quantity,
      allocatedResourcesStatus: mergedBy('name'),
      volumeMounts: mergedBy('mountPath'),
    },
    DownwardAPIProjection: {
      items: atomic,
    },
    DownwardAPIVolumeSource: {
      items: atomic,
    },
    EmptyDirVolumeSource: {
      sizeLimit: quantity,
    },
    EndpointAddress: {
      '': atomicStruct,
    },
    EndpointPort: {
      '': atomicStruct,
    },
    EndpointSubset: {
      addresses: atomic,
      notReadyAddresses: atomic,
      ports: atomic,
    },
    Endpoints: {
      subsets: atomic,
    },
    EphemeralContainer: {
      args: atomic,
      command: atomic,
      env: mergedBy('name'),
      envFrom: atomic,
      ports: { list: 'map', keys: ['containerPort', 'protocol'], patch: ['merge'], mergeKey: 'containerPort' },
      resizePolicy: atomic,
      restartPolicyRules: atomic,
      volumeDevices: mergedBy('devicePath'),
      volumeMounts: mergedBy('mountPath'),
    },
    ExecAction: {
      command: atomic,
    },
    FCVolumeSource: {
      targetWWNs: atomic,
      wwids: atomic,
    },
    FileKeySelector: {
      '': atomicStruct,
    },
    HTTPGetAction: {
      httpHeaders: atomic,
    },
    HostAlias: {
      hostnames: atomic,
    },
    ISCSIPersistentVolumeSource: {
      iscsiInterface: { default: 'default' },
      portals: atomic,
    },
    ISCSIVolumeSource: {
      iscsiInterface: { default: 'default' },
      portals: atomic,
    },
    LimitRangeItem: {
      default: quantity,
      defaultRequest: quantity,
      max: quantity,
      maxLimitRequestRatio: quantity,
      min: quantity,
    },
    LimitRangeSpec: {
      limits: atomic,
    },
    LinuxContainerUser: {
      supplementalGroups: atomic,
    },
    LoadBalancerIngress: {
      ports: atomic,
    },
    LoadBalancerStatus: {
      ingress: atomic,
    },
    LocalObjectReference: {
      '': atomicStruct,
    },
    NamespaceSpec: {
      finalizers: atomic,
    },
    NamespaceStatus: {
      conditions: mergedBy('type'),
    },
    NodeAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: atomic,
    },
    NodeAllocatableResourceClaimStatus: {
      containers: set,
      resources: quantity,
    },
    NodeSelector: {
      '': atomicStruct,
      nodeSelectorTerms: atomic,
    },
    NodeSelectorRequirement: {
      values: atomic,
    },
    NodeSelectorTerm: {
      '': atomicStruct,
      matchExpressions: atomic,
      matchFields: atomic,
    },
    NodeSpec: {
      podCIDRs: { list: 'set', patch: ['merge'] },
      taints: atomic,
    },
    NodeStatus: {
      addresses: mergedBy('type'),
      allocatable: quantity,
      capacity: quantity,
      conditions: mergedBy('type'),
      declaredFeatures: atomic,
      images: atomic,
      runtimeHandlers: atomic,
      volumesAttached: atomic,
      volumesInUse: atomic,
    },
    ObjectFieldSelector: {
      '': atomicStruct,
    },
    ObjectReference: {
      '': atomicStruct,
    },
    PersistentVolumeClaimSpec: {
      accessModes: atomic,
    },
    PersistentVolumeClaimStatus: {
      accessModes: atomic,
      allocatedResourceStatuses: { map: 'granular' },
      allocatedResources: quantity,
      capacity: quantity,
      conditions: mergedBy('type'),
    },
    PersistentVolumeSpec: {
      accessModes: atomic,
      capacity: quantity,
      claimRef: { map: 'granular' },
      mountOptions: atomic,
    },
    PodAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: atomic,
      requiredDuringSchedulingIgnoredDuringExecution: atomic,
    },
    PodAffinityTerm: {
      matchLabelKeys: atomic,
      mismatchLabelKeys: atomic,
      namespaces: atomic,
    },
    PodAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: atomic,
      requiredDuringSchedulingIgnoredDuringExecution: atomic,
    },
    PodDNSConfig: {
      nameservers: atomic,
      options: atomic,
      searches: atomic,
    },
    PodExtendedResourceClaimStatus: {
      requestMappings: atomic,
    },
    PodSecurityContext: {
      supplementalGroups: atomic,
      sysctls: atomic,
    },
    PodSpec: {
      containers: mergedBy('name'),
      ephemeralContainers: mergedBy('name'),
      hostAliases: mergedBy('ip'),
      imagePullSecrets: mergedBy('name'),
      initContainers: mergedBy('name'),
      nodeSelector: { map: 'atomic' },
      overhead: quantity,
      readinessGates: atomic,
      resourceClaims: { list: 'map', keys: ['name'], patch: ['merge', 'retainKeys'], mergeKey: 'name' },
      schedulingGates: mergedBy('name'),
      tolerations: atomic,
      topologySpreadConstraints: { list: 'map', keys: ['topologyKey', 'whenUnsatisfiable'], patch: ['merge'], mergeKey: 'topologyKey' },
      volumes: { list: 'map', keys: ['name'], patch: ['merge', 'retainKeys'], mergeKey: 'name' },
    },
    PodStatus: {
      allocatedResources: quantity,
      conditions: mergedBy('type'),
      containerStatuses: atomic,
      ephemeralContainerStatuses: atomic,
      hostIPs: { list: 'atomic', patch: ['merge'], mergeKey: 'ip' },
      initContainerStatuses: atomic,
      nodeAllocatableResourceClaimStatuses: atomic,
      podIPs: mergedBy('ip'),
      resourceClaimStatuses: { list: 'map', keys: ['name'], patch: ['merge', 'retainKeys'], mergeKey: 'name' },
    },
    ProjectedVolumeSource: {
      sources: atomic,
    },
    RBDPersistentVolumeSource: {
      keyring: { default: '/etc/ceph/keyring' },
      monitors: atomic,
      pool: { default: 'rbd' },
      user: { default: 'admin' },
    },
    RBDVolumeSource: {
      keyring: { default: '/etc/ceph/keyring' },
      monitors: atomic,
      pool: { default: 'rbd' },
      user: { default: 'admin' },
    },
    ReplicationControllerSpec: {
      replicas: { default: 1 },
      selector: { map: 'atomic' },
    },
    ReplicationControllerStatus: {
      conditions: mergedBy('type'),
    },
    ResourceFieldSelector: {
      '': atomicStruct,
      divisor: quantity,
    },
    ResourceQuotaSpec: {
      hard: quantity,
      scopes: atomic,
    },
    ResourceQuotaStatus: {
      hard: quantity,
      used: quantity,
    },
    ResourceRequirements: {
      claims: keyedBy('name'),
      limits: quantity,
      requests: quantity,
    },
    ResourceStatus: {
      resources: keyedBy('resourceID'),
    },
    ScaleIOPersistentVolumeSource: {
      fsType: { default: 'xfs' },
      storageMode: { default: 'ThinProvisioned' },
    },
    ScaleIOVolumeSource: {
      fsType: { default: 'xfs' },
      storageMode: { default: 'ThinProvisioned' },
    },
    ScopeSelector: {
      '': atomicStruct,
      matchExpressions: atomic,
    },
    ScopedResourceSelectorRequirement: {
      values: atomic,
    },
    SecretKeySelector: {
      '': atomicStruct,
    },
    SecretProjection: {
      items: atomic,
    },
    SecretReference: {
      '': atomicStruct,
    },
    SecretVolumeSource: {
      items: atomic,
    },
    ServiceAccount: {
      imagePullSecrets: atomic,
      secrets: mergedBy('name'),
    },
    ServicePort: {
      protocol: { default: 'TCP' },
    },
    ServiceSpec: {
      clusterIPs: atomic,
      externalIPs: atomic,
      ipFamilies: atomic,
      loadBalancerSourceRanges: atomic,
      ports: { list: 'map', keys: ['port', 'protocol'], patch: ['merge'], mergeKey: 'port' },
      selector: { map: 'atomic' },
    },
    ServiceStatus: {
      conditions: mergedBy('type'),
    },
    TopologySelectorLabelRequirement: {
      values: atomic,
    },
    TopologySelectorTerm: {
      '': atomicStruct,
      matchLabelExpressions: atomic,
    },
    TopologySpreadConstraint: {
      matchLabelKeys: atomic,
    },
    TypedLocalObjectReference: {
      '': atomicStruct,
    },
    VolumeResourceRequirements: {
      limits: quantity,
      requests: quantity,
    },
  },
  `
  AWSElasticBlockStoreVolumeSource Affinity AppArmorProfile AttachedVolume AzureFilePersistentVolumeSource AzureFileVolumeSource
  Binding CSIPersistentVolumeSource CSIVolumeSource CinderPersistentVolumeSource CinderVolumeSource ClientIPConfig
  ClusterTrustBundleProjection ComponentCondition ComponentStatusList ConfigMap ConfigMapEnvSource ConfigMapList
  ConfigMapNodeConfigSource ContainerExtendedResourceRequest ContainerResizePolicy ContainerRestartRule ContainerState
  ContainerStateRunning ContainerStateTerminated ContainerStateWaiting ContainerUser DaemonEndpoint DownwardAPIVolumeFile
  EndpointsList EnvFromSource EnvVar EnvVarSource EphemeralVolumeSource Event EventList EventSeries EventSource
  FlexPersistentVolumeSource FlexVolumeSource FlockerVolumeSource GCEPersistentDiskVolumeSource GRPCAction GitRepoVolumeSource
  GlusterfsPersistentVolumeSource GlusterfsVolumeSource HTTPHeader HostIP HostPathVolumeSource ImageVolumeSource ImageVolumeStatus
  KeyToPath Lifecycle LifecycleHandler LimitRange LimitRangeList LocalVolumeSource ModifyVolumeStatus NFSVolumeSource Namespace
  NamespaceCondition NamespaceList Node NodeAddress NodeCondition NodeConfigSource NodeConfigStatus NodeDaemonEndpoints
  NodeFeatures NodeList NodeRuntimeHandler NodeRuntimeHandlerFeatures NodeSwapStatus NodeSystemInfo PersistentVolume
  PersistentVolumeClaim PersistentVolumeClaimCondition PersistentVolumeClaimList PersistentVolumeClaimTemplate
  PersistentVolumeClaimVolumeSource PersistentVolumeList PersistentVolumeStatus PhotonPersistentDiskVolumeSource Pod
  PodCertificateProjection PodCondition PodDNSConfigOption PodIP PodList PodOS PodReadinessGate PodResourceClaim
  PodResourceClaimStatus PodSchedulingGate PodSchedulingGroup PodTemplate PodTemplateList PodTemplateSpec PortStatus
  PortworxVolumeSource PreferredSchedulingTerm Probe QuobyteVolumeSource ReplicationController ReplicationControllerCondition
  ReplicationControllerList ResourceClaim ResourceHealth ResourceQuota ResourceQuotaList SELinuxOptions SeccompProfile Secret
  SecretEnvSource SecretList SecurityContext Service ServiceAccountList ServiceAccountTokenProjection ServiceList
  SessionAffinityConfig SleepAction StorageOSPersistentVolumeSource StorageOSVolumeSource Sysctl TCPSocketAction Taint Toleration
  TypedObjectReference Volume VolumeDevice VolumeMount VolumeMountStatus VolumeNodeAffinity VolumeProjection VolumeStatus
  VsphereVirtualDiskVolumeSource WeightedPodAffinityTerm WindowsSecurityContextOptions
  `,
)
