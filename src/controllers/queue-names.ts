/** What upstream calls the work queues of the controllers: dashboards and alerts know them by these names. */
const names: Readonly<Record<string, string>> = {
  'certificatesigningrequest-signing-controller': 'certificate',
  'cronjob-controller': 'cronjob',
  'daemonset-controller': 'daemonset',
  'deployment-controller': 'deployment',
  'disruption-controller': 'disruption',
  'endpoint-controller': 'endpoint',
  'endpoint-slice-controller': 'endpoint_slice',
  'endpointslicemirroring-controller': 'endpoint_slice_mirroring',
  'ephemeral-volume-controller': 'ephemeral_volume',
  'horizontal-pod-autoscaler': 'horizontalpodautoscaler',
  'job-controller': 'job',
  'namespace-controller': 'namespace',
  'node-controller': 'node_lifecycle_controller',
  'node-ipam-controller': 'node_ipam',
  'persistentvolume-controller': 'volumes',
  'persistentvolume-protection-controller': 'pvprotection',
  'persistentvolumeclaim-protection-controller': 'pvcprotection',
  'replicaset-controller': 'replicaset',
  'replication-controller': 'replicationmanager',
  'resourcequota-controller': 'resourcequota_primary',
  'root-ca-certificate-publisher-controller': 'root_ca_cert_publisher',
  'service-account-controller': 'serviceaccount',
  'stale-pod-disruption-controller': 'stale_pod_disruption',
  'statefulset-controller': 'statefulset',
  'taint-eviction-controller': 'noexec_taint_pod',
  'ttl-after-finished-controller': 'ttl_jobs_to_delete',
  'ttl-controller': 'ttlcontroller',
}

/** Those that upstream does not have go by their own names, in the same spelling. */
export const queueNameOf = (controller: string): string => names[controller] ?? controller.replace(/[^a-zA-Z0-9]+/g, '_')
