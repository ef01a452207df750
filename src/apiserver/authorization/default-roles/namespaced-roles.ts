/** Roles and bindings in `kube-system` and `kube-public`. */
import type { DefaultBinding } from './system-roles.ts'

export const namespacedRoles: Record<string, Record<string, string[]>> = {
  'kube-system': {
    'extension-apiserver-authentication-reader': ['read | core | configmaps | extension-apiserver-authentication'],
    'system:controller:bootstrap-signer': ['read | core | secrets'],
    'system:controller:cloud-provider': ['create get list watch | core | configmaps'],
    'system:controller:token-cleaner': ['delete get list watch | core | secrets', 'create patch update | core events.k8s.io | events'],
    'system::leader-locking-kube-controller-manager': ['watch | core | configmaps', 'get update | core | configmaps | kube-controller-manager'],
    'system::leader-locking-kube-scheduler': ['watch | core | configmaps', 'get update | core | configmaps | kube-scheduler'],
  },
  'kube-public': {
    'system:controller:bootstrap-signer': [
      'read | core | configmaps',
      'update | core | configmaps | cluster-info',
      'create patch update | core events.k8s.io | events',
    ],
  },
}

export const namespacedBindings: Record<string, Record<string, DefaultBinding>> = {
  'kube-system': {
    'system::extension-apiserver-authentication-reader': {
      role: 'extension-apiserver-authentication-reader',
      users: ['system:kube-controller-manager', 'system:kube-scheduler'],
    },
    'system::leader-locking-kube-controller-manager': {
      role: 'system::leader-locking-kube-controller-manager',
      users: ['system:kube-controller-manager'],
      serviceAccounts: ['kube-system/kube-controller-manager'],
    },
    'system::leader-locking-kube-scheduler': {
      role: 'system::leader-locking-kube-scheduler',
      users: ['system:kube-scheduler'],
      serviceAccounts: ['kube-system/kube-scheduler'],
    },
    'system:controller:bootstrap-signer': { role: 'system:controller:bootstrap-signer', serviceAccounts: ['kube-system/bootstrap-signer'] },
    'system:controller:cloud-provider': { role: 'system:controller:cloud-provider', serviceAccounts: ['kube-system/cloud-provider'] },
    'system:controller:token-cleaner': { role: 'system:controller:token-cleaner', serviceAccounts: ['kube-system/token-cleaner'] },
  },
  'kube-public': {
    'system:controller:bootstrap-signer': { role: 'system:controller:bootstrap-signer', serviceAccounts: ['kube-system/bootstrap-signer'] },
  },
}
