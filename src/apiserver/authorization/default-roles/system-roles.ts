/** Roles for everybody, for components of the cluster, and for what is added to it. */
const events = ['create patch update | core events.k8s.io | events']

export const systemRoles: Record<string, string[]> = {
  'cluster-admin': ['* | * | *', '* | *'],
  'system:discovery': ['get | /api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/'],
  'system:public-info-viewer': ['get | /healthz /livez /readyz /version /version/'],
  'system:basic-user': [
    'create | authorization.k8s.io | selfsubjectaccessreviews selfsubjectrulesreviews',
    'create | authentication.k8s.io | selfsubjectreviews',
  ],
  'system:monitoring': ['get | /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*'],
  'system:heapster': ['read | core | events namespaces nodes pods', 'read | extensions | deployments'],
  'system:service-account-issuer-discovery': ['get | /.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/'],
  'system:auth-delegator': ['create | authentication.k8s.io | tokenreviews', 'create | authorization.k8s.io | subjectaccessreviews'],
  'system:kube-aggregator': ['read | core | endpoints services'],
  'system:kubelet-api-admin': ['get list watch | core | nodes', 'proxy | core | nodes', '* | core | nodes/log nodes/metrics nodes/proxy nodes/stats'],
  'system:node-bootstrapper': ['create get list watch | certificates.k8s.io | certificatesigningrequests'],
  'system:node-problem-detector': ['get | core | nodes', 'patch | core | nodes/status', ...events],
  'system:persistent-volume-provisioner': [
    'create delete get list watch | core | persistentvolumes',
    'get list update watch | core | persistentvolumeclaims',
    'read | storage.k8s.io | storageclasses',
    'watch | core | events',
    ...events,
  ],
  'system:kube-dns': ['list watch | core | endpoints services', 'list watch | discovery.k8s.io | endpointslices'],
  // What CoreDNS needs where it is installed as kubeadm does.
  'system:coredns': ['list watch | core | endpoints namespaces pods services', 'list watch | discovery.k8s.io | endpointslices', 'get | core | nodes'],
  'system:certificates.k8s.io:certificatesigningrequests:nodeclient': ['create | certificates.k8s.io | certificatesigningrequests/nodeclient'],
  'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient': ['create | certificates.k8s.io | certificatesigningrequests/selfnodeclient'],
  'system:certificates.k8s.io:kube-apiserver-client-approver': ['approve | certificates.k8s.io | signers | kubernetes.io/kube-apiserver-client'],
  'system:certificates.k8s.io:kube-apiserver-client-kubelet-approver': [
    'approve | certificates.k8s.io | signers | kubernetes.io/kube-apiserver-client-kubelet',
  ],
  'system:certificates.k8s.io:kubelet-serving-approver': ['approve | certificates.k8s.io | signers | kubernetes.io/kubelet-serving'],
  'system:certificates.k8s.io:legacy-unknown-approver': ['approve | certificates.k8s.io | signers | kubernetes.io/legacy-unknown'],

  // The ingress controller that comes with every cluster of Skiff.
  'system:ingress-nginx': [
    'read | core | endpoints namespaces nodes secrets services',
    'read | discovery.k8s.io | endpointslices',
    'read | networking.k8s.io | ingressclasses ingresses',
    'patch update | networking.k8s.io | ingresses/status',
    'create get list patch update watch | coordination.k8s.io | leases',
    ...events,
  ],

  'system:node-proxier': [
    'list watch | core | endpoints services',
    'get list watch | core | nodes',
    ...events,
    'list watch | discovery.k8s.io | endpointslices',
    'list watch | networking.k8s.io | servicecidrs',
  ],
  'system:node': [
    'create | authentication.k8s.io | tokenreviews',
    'create | authorization.k8s.io | localsubjectaccessreviews subjectaccessreviews',
    'read | core | services',
    'create get list watch | core | nodes',
    'patch update | core | nodes/status',
    'patch update | core | nodes',
    ...events,
    'read | core | pods',
    'create delete | core | pods',
    'patch update | core | pods/status',
    'create | core | pods/eviction',
    'get list watch | core | configmaps secrets',
    'get | core | persistentvolumeclaims persistentvolumes',
    'get | core | endpoints',
    'create get list watch | certificates.k8s.io | certificatesigningrequests',
    'create delete get patch update | coordination.k8s.io | leases',
    'get | storage.k8s.io | volumeattachments',
    'create | core | serviceaccounts/token',
    'get patch update | core | persistentvolumeclaims/status',
    'read | storage.k8s.io | csidrivers',
    'create delete get patch update | storage.k8s.io | csinodes',
    'read | node.k8s.io | runtimeclasses',
    'get | resource.k8s.io | resourceclaims',
    'create delete deletecollection get list patch update watch | resource.k8s.io | resourceslices',
    'read | core | serviceaccounts',
  ],
  'system:kube-scheduler': [
    ...events,
    'create | coordination.k8s.io | leases',
    'get list update watch | coordination.k8s.io | leases | kube-scheduler',
    'create list watch | coordination.k8s.io | leasecandidates',
    'read | core | nodes',
    'delete get list watch | core | pods',
    'create | core | bindings pods/binding',
    'patch update | core | pods/status',
    'read | core | replicationcontrollers services',
    'read | apps extensions | replicasets',
    'read | apps | statefulsets',
    'read | policy | poddisruptionbudgets',
    'read | core | persistentvolumeclaims persistentvolumes',
    'create | authentication.k8s.io | tokenreviews',
    'create | authorization.k8s.io | subjectaccessreviews',
    'read | storage.k8s.io | csidrivers csinodes csistoragecapacities volumeattachments',
    'read | core | namespaces',
    'read | resource.k8s.io | deviceclasses resourceclaims resourceslices',
    'patch update | resource.k8s.io | resourceclaims resourceclaims/status',
  ],
  'system:volume-scheduler': [
    'get list patch update watch | core | persistentvolumes',
    'read | storage.k8s.io | storageclasses',
    'get list patch update watch | core | persistentvolumeclaims',
  ],
  'system:kube-controller-manager': [
    ...events,
    'create | coordination.k8s.io | leases',
    'get list update watch | coordination.k8s.io | leases | kube-controller-manager',
    'create list watch | coordination.k8s.io | leasecandidates',
    'create | core | secrets serviceaccounts',
    'delete | core | secrets',
    'get | core | configmaps namespaces secrets serviceaccounts',
    'update | core | secrets serviceaccounts',
    'create | authentication.k8s.io | tokenreviews',
    'create | authorization.k8s.io | subjectaccessreviews',
    'list watch | * | *',
    'create | core | serviceaccounts/token',
  ],
}

export interface DefaultBinding {
  role: string
  groups?: string[]
  users?: string[]
  /** `namespace/name`. */
  serviceAccounts?: string[]
}

/** Bindings of these names; a role that is not said is the one of the same name. */
export const systemBindings: Record<string, DefaultBinding> = {
  'cluster-admin': { role: 'cluster-admin', groups: ['system:masters'] },
  'system:monitoring': { role: 'system:monitoring', groups: ['system:monitoring'] },
  'system:discovery': { role: 'system:discovery', groups: ['system:authenticated'] },
  'system:basic-user': { role: 'system:basic-user', groups: ['system:authenticated'] },
  'system:public-info-viewer': { role: 'system:public-info-viewer', groups: ['system:authenticated', 'system:unauthenticated'] },
  'system:node-proxier': { role: 'system:node-proxier', users: ['system:kube-proxy'] },
  'system:kube-controller-manager': { role: 'system:kube-controller-manager', users: ['system:kube-controller-manager'] },
  'system:kube-dns': { role: 'system:kube-dns', serviceAccounts: ['kube-system/kube-dns'] },
  'system:coredns': { role: 'system:coredns', serviceAccounts: ['kube-system/coredns'] },
  'system:ingress-nginx': { role: 'system:ingress-nginx', serviceAccounts: ['kube-system/ingress-nginx'] },
  'system:kube-scheduler': { role: 'system:kube-scheduler', users: ['system:kube-scheduler'] },
  'system:volume-scheduler': { role: 'system:volume-scheduler', users: ['system:kube-scheduler'] },
  // Without subjects: the Node authorizer judges each request of a kubelet.
  'system:node': { role: 'system:node' },
  'system:service-account-issuer-discovery': { role: 'system:service-account-issuer-discovery', groups: ['system:serviceaccounts'] },
}
