/** The admission plugins, in the order in which upstream asks them. */
import type { ServerPart, ServerPartFactory } from '../contracts.ts'
import { defaultIngressClass, defaultStorageClass } from './default-class.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import { podSecurity } from './pod-security/pod-security.ts'
import { priority } from './priority.ts'
import { resourceQuota } from './resource-quota.ts'
import { runtimeClass } from './runtime-class.ts'
import { serviceAccount } from './service-account.ts'
import { persistentVolumeClaimResize, storageObjectInUseProtection } from './storage.ts'
import { defaultTolerationSeconds, taintNodesByCondition } from './tolerations.ts'

export const admission: ServerPartFactory = (server): ServerPart => ({
  name: 'admission',
  admission: [
    namespaceLifecycle(server),
    limitRanger(server),
    serviceAccount(server),
    nodeRestriction(server),
    taintNodesByCondition,
    podSecurity(server),
    priority(server),
    defaultTolerationSeconds,
    defaultStorageClass(server),
    storageObjectInUseProtection,
    persistentVolumeClaimResize(server),
    runtimeClass(server),
    defaultIngressClass(server),
    resourceQuota(server),
  ],
})
