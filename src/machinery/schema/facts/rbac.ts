import { apiPackage, atomic, atomicStruct } from './api-package.ts'

export const rbacV1 = apiPackage(
  'io.k8s.api.rbac.v1',
  {
    AggregationRule: {
      clusterRoleSelectors: atomic,
    },
    ClusterRole: {
      rules: atomic,
    },
    ClusterRoleBinding: {
      subjects: atomic,
    },
    PolicyRule: {
      apiGroups: atomic,
      nonResourceURLs: atomic,
      resourceNames: atomic,
      resources: atomic,
      verbs: atomic,
    },
    Role: {
      rules: atomic,
    },
    RoleBinding: {
      subjects: atomic,
    },
    RoleRef: {
      '': atomicStruct,
    },
    Subject: {
      '': atomicStruct,
    },
  },
  `
  ClusterRoleBindingList ClusterRoleList RoleBindingList RoleList
  `,
)
