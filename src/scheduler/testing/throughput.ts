/**
 * Measures how many pods a second the scheduler places, over an API server and a store in this process:
 * `throughput.ts [NODES] [PODS] [KIND]`, kinds being those of `specs` below. Prints one line of JSON.
 */
import { admission } from '../../apiserver/admission/admission.ts'
import { createInProcessTransport } from '../../apiserver/in-process-transport.ts'
import { createApiServer } from '../../apiserver/server.ts'
import { allowEverything } from '../../apiserver/testing/test-server.ts'
import { createClient } from '../../client/api-client.ts'
import { startControllers } from '../../client/controller-runner.ts'
import { createInformerFactory } from '../../client/informer-factory.ts'
import { silentLogger as log } from '../../client/logger.ts'
import { Namespace, Node, PersistentVolumeClaim, Pod, ServiceAccount, StorageClass } from '../../client/resources.ts'
import { localDirectoryProvisioner, volumeProvisioner } from '../../controllers/local-directory-provisioner.ts'
import { persistentVolumeClaimBinder } from '../../controllers/persistent-volume-binder.ts'
import { persistentVolumeLifecycle } from '../../controllers/persistent-volume-lifecycle.ts'
import type { New } from '../../machinery/object.ts'
import { realClock as clock } from '../../machinery/real-clock.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import { MemoryStore } from '../../store/memory-store.ts'
import { startScheduler } from '../scheduler.ts'

const [nodes = 1000, pods = 5000] = process.argv.slice(2, 4).map(Number)
const kind = process.argv[4] ?? 'plain'
const user = { name: 'bench', groups: ['system:masters'] }

const server = createApiServer({ store: new MemoryStore(), clock, parts: [allowEverything, admission] })
await server.start()
const client = createClient(createInProcessTransport(server, { user, userAgent: 'bench' }), { userAgent: 'bench' })
await client.create(Namespace, { metadata: { name: 'default' }, spec: {} })
await client.create(ServiceAccount, { metadata: { name: 'default', namespace: 'default' } })
for (let i = 0; i < nodes; i++) {
  const name = `node-${i}`
  const labels = { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': `zone-${i % 3}` }
  const node = await client.create(Node, { metadata: { name, labels }, spec: {} })
  const allocatable = { cpu: '32', memory: '64Gi', pods: '110' }
  await client.updateStatus(Node, { ...node, status: { ...node.status, allocatable, capacity: allocatable } })
  await client.patch(Node, { name }, 'merge', { spec: { taints: null } })
}

const term = { labelSelector: { matchLabels: { app: 'web' } }, topologyKey: 'kubernetes.io/hostname' }
const perZone = { ...term, topologyKey: 'topology.kubernetes.io/zone' }
const specs: Record<string, Partial<V1Pod['spec']>> = {
  plain: {},
  spread: {
    topologySpreadConstraints: [{ maxSkew: 5, topologyKey: perZone.topologyKey, whenUnsatisfiable: 'DoNotSchedule', labelSelector: term.labelSelector }],
  },
  'spread-hosts': {
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: term.topologyKey, whenUnsatisfiable: 'DoNotSchedule', labelSelector: term.labelSelector }],
  },
  'preferred-anti-affinity': { affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 10, podAffinityTerm: term }] } } },
  'anti-affinity': { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } },
  affinity: { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [perZone] } } },
  'preferred-affinity': { affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 10, podAffinityTerm: perZone }] } } },
  // Each pod with a claim: one whose volume is made when the pod has a node, or one that is bound already.
  volumes: {},
  'bound-volumes': {},
}
const spec = specs[kind]
if (!spec) throw new Error(`kinds are ${Object.keys(specs).join(', ')}`)
const hasClaims = kind.endsWith('volumes')
const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'web', controller: true }]
const pod = (i: number): New<V1Pod> => ({
  metadata: { name: `pod-${i}`, namespace: 'default', labels: { app: 'web' }, ownerReferences },
  spec: {
    containers: [{ name: 'main', image: 'web:1', resources: { requests: { cpu: '100m', memory: '200Mi' } } }],
    ...(hasClaims ? { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: `claim-${i}` } }] } : {}),
    ...spec,
  },
})
const informers = createInformerFactory({ client, clock, log })
if (hasClaims) {
  const volumeBindingMode = kind === 'volumes' ? 'WaitForFirstConsumer' : 'Immediate'
  await client.create(StorageClass, { metadata: { name: 'local' }, provisioner: localDirectoryProvisioner, volumeBindingMode })
  const directories = { make: async (volume: string) => ({ path: `/volumes/${volume}` }), remove: async () => {} }
  startControllers([persistentVolumeClaimBinder, persistentVolumeLifecycle, ...volumeProvisioner(directories)], { client, informers, clock, log, span() {} })
  const isBound = Promise.withResolvers<void>()
  let left = pods
  informers.informer(PersistentVolumeClaim).onChange(({ object, previous }) => {
    if (object.status?.phase === 'Bound' && previous?.status?.phase !== 'Bound' && --left === 0) isBound.resolve()
  })
  for (let i = 0; i < pods; i++)
    await client.create(PersistentVolumeClaim, {
      metadata: { name: `claim-${i}`, namespace: 'default' },
      spec: { storageClassName: 'local', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    })
  if (kind === 'bound-volumes') await isBound.promise
}
for (let i = 0; i < pods; i++) await client.create(Pod, pod(i))

let bound = 0
let last = 0
let started = 0
const first = Promise.withResolvers<void>()
const all = Promise.withResolvers<void>()
const counter = createInformerFactory({ client, clock, log }).informer(Pod)
counter.onChange(({ object, previous }) => {
  if (!object.spec.nodeName || previous?.spec.nodeName) return
  if (bound++ === 0) first.resolve()
  last = performance.now()
  if (bound === pods) all.resolve()
})
await counter.whenSynced()
started = performance.now()
const scheduler = startScheduler({ client, informers, clock, log, span() {} })
await first.promise
const begun = performance.now()
const cpu = process.cpuUsage()
await all.promise
const seconds = (last - begun) / 1000
const used = process.cpuUsage(cpu)
const cpuSeconds = (used.user + used.system) / 1e6
console.log(
  JSON.stringify({
    kind,
    nodes,
    pods,
    seconds: Number(seconds.toFixed(2)),
    podsPerSecond: Math.round(pods / seconds),
    podsPerCpuSecond: Math.round(pods / cpuSeconds),
    toFirst: Math.round(begun - started),
  }),
)
await scheduler.stop()
process.exit(0)
