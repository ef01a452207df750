/**
 * References to the built-in resources, for components: enough to address each through a {@link Client}, without
 * the rules of the API server (which stand in `apis/`, one file per resource).
 */
import type { KubeObject } from '../machinery/object.ts'
import type {
  CoreV1Event,
  EventsV1Event,
  ResourceV1ResourceClaim,
  V1APIService,
  V1CertificateSigningRequest,
  V1ClusterRole,
  V1ClusterRoleBinding,
  V1ConfigMap,
  V1ControllerRevision,
  V1CronJob,
  V1CSIDriver,
  V1CSINode,
  V1CSIStorageCapacity,
  V1CustomResourceDefinition,
  V1DaemonSet,
  V1Deployment,
  V1DeviceClass,
  V1EndpointSlice,
  V1Endpoints,
  V1FlowSchema,
  V1Ingress,
  V1IngressClass,
  V1IPAddress,
  V1Job,
  V1Lease,
  V1LimitRange,
  V1MutatingAdmissionPolicy,
  V1MutatingAdmissionPolicyBinding,
  V1MutatingWebhookConfiguration,
  V1Namespace,
  V1NetworkPolicy,
  V1Node,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodDisruptionBudget,
  V1PodTemplate,
  V1PriorityClass,
  V1PriorityLevelConfiguration,
  V1ReplicaSet,
  V1ReplicationController,
  V1ResourceClaimTemplate,
  V1ResourceQuota,
  V1ResourceSlice,
  V1Role,
  V1RoleBinding,
  V1RuntimeClass,
  V1Secret,
  V1Service,
  V1ServiceAccount,
  V1ServiceCIDR,
  V1StatefulSet,
  V1StorageClass,
  V1ValidatingAdmissionPolicy,
  V1ValidatingAdmissionPolicyBinding,
  V1ValidatingWebhookConfiguration,
  V1VolumeAttachment,
  V1VolumeAttributesClass,
  V2HorizontalPodAutoscaler,
} from '../machinery/schema/generated/types.ts'
import type { ResourceRef } from './client.ts'

function ref<T extends KubeObject>(group: string, version: string, kind: string, plural: string, namespaced = true): ResourceRef<T> {
  return { group, version, kind, plural, namespaced }
}

export const MutatingAdmissionPolicy = ref<V1MutatingAdmissionPolicy>(
  'admissionregistration.k8s.io',
  'v1',
  'MutatingAdmissionPolicy',
  'mutatingadmissionpolicies',
  false,
)
export const MutatingAdmissionPolicyBinding = ref<V1MutatingAdmissionPolicyBinding>(
  'admissionregistration.k8s.io',
  'v1',
  'MutatingAdmissionPolicyBinding',
  'mutatingadmissionpolicybindings',
  false,
)
export const MutatingWebhookConfiguration = ref<V1MutatingWebhookConfiguration>(
  'admissionregistration.k8s.io',
  'v1',
  'MutatingWebhookConfiguration',
  'mutatingwebhookconfigurations',
  false,
)
export const ValidatingAdmissionPolicy = ref<V1ValidatingAdmissionPolicy>(
  'admissionregistration.k8s.io',
  'v1',
  'ValidatingAdmissionPolicy',
  'validatingadmissionpolicies',
  false,
)
export const ValidatingAdmissionPolicyBinding = ref<V1ValidatingAdmissionPolicyBinding>(
  'admissionregistration.k8s.io',
  'v1',
  'ValidatingAdmissionPolicyBinding',
  'validatingadmissionpolicybindings',
  false,
)
export const ValidatingWebhookConfiguration = ref<V1ValidatingWebhookConfiguration>(
  'admissionregistration.k8s.io',
  'v1',
  'ValidatingWebhookConfiguration',
  'validatingwebhookconfigurations',
  false,
)
export const CustomResourceDefinition = ref<V1CustomResourceDefinition>(
  'apiextensions.k8s.io',
  'v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  false,
)
export const APIService = ref<V1APIService>('apiregistration.k8s.io', 'v1', 'APIService', 'apiservices', false)
export const ControllerRevision = ref<V1ControllerRevision>('apps', 'v1', 'ControllerRevision', 'controllerrevisions')
export const DaemonSet = ref<V1DaemonSet>('apps', 'v1', 'DaemonSet', 'daemonsets')
export const Deployment = ref<V1Deployment>('apps', 'v1', 'Deployment', 'deployments')
export const ReplicaSet = ref<V1ReplicaSet>('apps', 'v1', 'ReplicaSet', 'replicasets')
export const StatefulSet = ref<V1StatefulSet>('apps', 'v1', 'StatefulSet', 'statefulsets')
export const HorizontalPodAutoscaler = ref<V2HorizontalPodAutoscaler>('autoscaling', 'v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers')
export const CronJob = ref<V1CronJob>('batch', 'v1', 'CronJob', 'cronjobs')
export const Job = ref<V1Job>('batch', 'v1', 'Job', 'jobs')
export const CertificateSigningRequest = ref<V1CertificateSigningRequest>(
  'certificates.k8s.io',
  'v1',
  'CertificateSigningRequest',
  'certificatesigningrequests',
  false,
)
export const Lease = ref<V1Lease>('coordination.k8s.io', 'v1', 'Lease', 'leases')
export const Pod = ref<V1Pod>('', 'v1', 'Pod', 'pods')
export const Service = ref<V1Service>('', 'v1', 'Service', 'services')
export const Node = ref<V1Node>('', 'v1', 'Node', 'nodes', false)
export const Namespace = ref<V1Namespace>('', 'v1', 'Namespace', 'namespaces', false)
export const ConfigMap = ref<V1ConfigMap>('', 'v1', 'ConfigMap', 'configmaps')
export const Endpoints = ref<V1Endpoints>('', 'v1', 'Endpoints', 'endpoints')
export const Event = ref<CoreV1Event>('', 'v1', 'Event', 'events')
export const LimitRange = ref<V1LimitRange>('', 'v1', 'LimitRange', 'limitranges')
export const PersistentVolumeClaim = ref<V1PersistentVolumeClaim>('', 'v1', 'PersistentVolumeClaim', 'persistentvolumeclaims')
export const PodTemplate = ref<V1PodTemplate>('', 'v1', 'PodTemplate', 'podtemplates')
export const ReplicationController = ref<V1ReplicationController>('', 'v1', 'ReplicationController', 'replicationcontrollers')
export const ResourceQuota = ref<V1ResourceQuota>('', 'v1', 'ResourceQuota', 'resourcequotas')
export const Secret = ref<V1Secret>('', 'v1', 'Secret', 'secrets')
export const ServiceAccount = ref<V1ServiceAccount>('', 'v1', 'ServiceAccount', 'serviceaccounts')
export const PersistentVolume = ref<V1PersistentVolume>('', 'v1', 'PersistentVolume', 'persistentvolumes', false)
export const EndpointSlice = ref<V1EndpointSlice>('discovery.k8s.io', 'v1', 'EndpointSlice', 'endpointslices')
export const EventsEvent = ref<EventsV1Event>('events.k8s.io', 'v1', 'Event', 'events')
export const FlowSchema = ref<V1FlowSchema>('flowcontrol.apiserver.k8s.io', 'v1', 'FlowSchema', 'flowschemas', false)
export const PriorityLevelConfiguration = ref<V1PriorityLevelConfiguration>(
  'flowcontrol.apiserver.k8s.io',
  'v1',
  'PriorityLevelConfiguration',
  'prioritylevelconfigurations',
  false,
)
export const IPAddress = ref<V1IPAddress>('networking.k8s.io', 'v1', 'IPAddress', 'ipaddresses', false)
export const IngressClass = ref<V1IngressClass>('networking.k8s.io', 'v1', 'IngressClass', 'ingressclasses', false)
export const Ingress = ref<V1Ingress>('networking.k8s.io', 'v1', 'Ingress', 'ingresses')
export const NetworkPolicy = ref<V1NetworkPolicy>('networking.k8s.io', 'v1', 'NetworkPolicy', 'networkpolicies')
export const ServiceCIDR = ref<V1ServiceCIDR>('networking.k8s.io', 'v1', 'ServiceCIDR', 'servicecidrs', false)
export const RuntimeClass = ref<V1RuntimeClass>('node.k8s.io', 'v1', 'RuntimeClass', 'runtimeclasses', false)
export const PodDisruptionBudget = ref<V1PodDisruptionBudget>('policy', 'v1', 'PodDisruptionBudget', 'poddisruptionbudgets')
export const ClusterRole = ref<V1ClusterRole>('rbac.authorization.k8s.io', 'v1', 'ClusterRole', 'clusterroles', false)
export const ClusterRoleBinding = ref<V1ClusterRoleBinding>('rbac.authorization.k8s.io', 'v1', 'ClusterRoleBinding', 'clusterrolebindings', false)
export const Role = ref<V1Role>('rbac.authorization.k8s.io', 'v1', 'Role', 'roles')
export const RoleBinding = ref<V1RoleBinding>('rbac.authorization.k8s.io', 'v1', 'RoleBinding', 'rolebindings')
export const DeviceClass = ref<V1DeviceClass>('resource.k8s.io', 'v1', 'DeviceClass', 'deviceclasses', false)
export const ResourceClaim = ref<ResourceV1ResourceClaim>('resource.k8s.io', 'v1', 'ResourceClaim', 'resourceclaims')
export const ResourceClaimTemplate = ref<V1ResourceClaimTemplate>('resource.k8s.io', 'v1', 'ResourceClaimTemplate', 'resourceclaimtemplates')
export const ResourceSlice = ref<V1ResourceSlice>('resource.k8s.io', 'v1', 'ResourceSlice', 'resourceslices', false)
export const PriorityClass = ref<V1PriorityClass>('scheduling.k8s.io', 'v1', 'PriorityClass', 'priorityclasses', false)
export const CSIDriver = ref<V1CSIDriver>('storage.k8s.io', 'v1', 'CSIDriver', 'csidrivers', false)
export const CSINode = ref<V1CSINode>('storage.k8s.io', 'v1', 'CSINode', 'csinodes', false)
export const CSIStorageCapacity = ref<V1CSIStorageCapacity>('storage.k8s.io', 'v1', 'CSIStorageCapacity', 'csistoragecapacities')
export const StorageClass = ref<V1StorageClass>('storage.k8s.io', 'v1', 'StorageClass', 'storageclasses', false)
export const VolumeAttachment = ref<V1VolumeAttachment>('storage.k8s.io', 'v1', 'VolumeAttachment', 'volumeattachments', false)
export const VolumeAttributesClass = ref<V1VolumeAttributesClass>('storage.k8s.io', 'v1', 'VolumeAttributesClass', 'volumeattributesclasses', false)
