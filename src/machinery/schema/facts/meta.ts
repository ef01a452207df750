import { apiPackage, atomic, atomicStruct, mergedBy } from './api-package.ts'

export const metaV1 = apiPackage(
  'io.k8s.apimachinery.pkg.apis.meta.v1',
  {
    APIGroup: {
      serverAddressByClientCIDRs: atomic,
      versions: atomic,
    },
    APIGroupList: {
      groups: atomic,
    },
    APIResource: {
      categories: atomic,
      shortNames: atomic,
    },
    APIResourceList: {
      resources: atomic,
    },
    APIVersions: {
      serverAddressByClientCIDRs: atomic,
      versions: atomic,
    },
    DeleteOptions: {
      dryRun: atomic,
    },
    FieldSelectorRequirement: {
      values: atomic,
    },
    LabelSelector: {
      '': atomicStruct,
      matchExpressions: atomic,
    },
    LabelSelectorRequirement: {
      values: atomic,
    },
    ManagedFieldsEntry: {
      fieldsV1: { raw: 'FieldsV1' },
    },
    ObjectMeta: {
      finalizers: { list: 'set', patch: ['merge'] },
      managedFields: atomic,
      ownerReferences: mergedBy('uid'),
    },
    OwnerReference: {
      '': atomicStruct,
    },
    StatusDetails: {
      causes: atomic,
    },
    WatchEvent: {
      object: { raw: 'RawExtension' },
    },
  },
  `
  Condition GroupResource GroupVersionForDiscovery ListMeta Preconditions ServerAddressByClientCIDR ShardInfo Status StatusCause
  `,
)
