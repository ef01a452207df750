/**
 * What the filters decide from counts that are kept as pods come and go must be what one finds who looks at every pod on
 * every node anew.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tolerates } from '../apis/core/toleration.ts'
import type { V1Node, V1Pod, V1PodAffinityTerm, V1PodSpec } from '../machinery/schema/generated/types.ts'
import { matchesLabelSelector } from '../machinery/selectors.ts'
import { VirtualClock } from '../machinery/virtual-clock.ts'
import { SchedulerCache } from './cache.ts'
import type { CycleState, Plugin } from './framework.ts'
import { interPodAffinity } from './plugins/inter-pod-affinity.ts'
import { nodeAffinity } from './plugins/node-affinity.ts'
import { nodePorts } from './plugins/node-ports.ts'
import { nodeResourcesFit } from './plugins/node-resources-fit.ts'
import { nodeUnschedulable } from './plugins/node-unschedulable.ts'
import { podTopologySpread } from './plugins/pod-topology-spread.ts'
import { taintToleration } from './plugins/taint-toleration.ts'
import { podInfo } from './pod-info.ts'
import { FilterRun } from './scheduling-cycle.ts'

const plugins: Plugin[] = [nodeUnschedulable, taintToleration, nodeAffinity, nodePorts, nodeResourcesFit, podTopologySpread, interPodAffinity]
const host = 'kubernetes.io/hostname'
const zone = 'zone'

function byCounts(cache: SchedulerCache, pod: V1Pod): string[] {
  const info = podInfo(pod)
  const state: CycleState = new Map()
  const filters = plugins.filter((plugin) => {
    const result = plugin.preFilter?.(info, cache, state)
    assert.ok(result === undefined || result === 'skip')
    return result !== 'skip'
  })
  const run = new FilterRun(info, filters, state)
  const names = cache
    .nodes()
    .filter((node) => !run.check(node))
    .map(({ name }) => name)
  return names.sort()
}

interface World {
  nodes: Map<string, V1Node>
  pods: Map<string, V1Pod>
}

const podsOn = ({ pods }: World, node: V1Node) => [...pods.values()].filter(({ spec }) => spec.nodeName === node.metadata.name)
const labelOf = (node: V1Node | undefined, key: string) => node?.metadata.labels?.[key]
const cpuOf = ({ spec }: V1Pod) => Number(spec.containers[0]?.resources?.requests?.cpu ?? 0)
const portsOf = ({ spec }: V1Pod) => (spec.containers[0]?.ports ?? []).map(({ hostPort }) => hostPort)
const isMeant = (term: V1PodAffinityTerm, owner: V1Pod, other: V1Pod) =>
  (term.namespaces ?? [owner.metadata.namespace]).includes(other.metadata.namespace) && matchesLabelSelector(term.labelSelector, other.metadata.labels)
const antiTerms = ({ spec }: V1Pod) => spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []

/** Whether there is a pod that the term means in the same topology as the node. */
function isNear(world: World, node: V1Node, topologyKey: string, means: (other: V1Pod) => boolean): boolean {
  const value = labelOf(node, topologyKey)
  if (value === undefined) return false
  return [...world.pods.values()].some((other) => means(other) && labelOf(world.nodes.get(other.spec.nodeName ?? ''), topologyKey) === value)
}

function spreads(world: World, pod: V1Pod, node: V1Node): boolean {
  const constraints = pod.spec.topologySpreadConstraints ?? []
  const wanted = pod.spec.nodeSelector
  const counting = [...world.nodes.values()].filter(
    (one) =>
      constraints.every(({ topologyKey }) => labelOf(one, topologyKey) !== undefined) &&
      Object.entries(wanted ?? {}).every(([key, value]) => labelOf(one, key) === value),
  )
  return constraints.every(({ topologyKey, maxSkew, minDomains, labelSelector }) => {
    const value = labelOf(node, topologyKey)
    if (value === undefined) return false
    const matches = (other: V1Pod) => other.metadata.namespace === pod.metadata.namespace && matchesLabelSelector(labelSelector, other.metadata.labels)
    const counts = new Map<string, number>()
    for (const one of counting) {
      const domain = labelOf(one, topologyKey) ?? ''
      counts.set(domain, (counts.get(domain) ?? 0) + podsOn(world, one).filter(matches).length)
    }
    const least = counts.size < (minDomains ?? 1) || counts.size === 0 ? 0 : Math.min(...counts.values())
    return (counts.get(value) ?? 0) + (matches(pod) ? 1 : 0) - least <= maxSkew
  })
}

function fits(world: World, pod: V1Pod, node: V1Node): boolean {
  const there = podsOn(world, node)
  const { spec } = pod
  if (node.spec.unschedulable) return false
  if ((node.spec.taints ?? []).some((taint) => taint.effect !== 'PreferNoSchedule' && !(spec.tolerations ?? []).some((one) => tolerates(one, taint))))
    return false
  if (!Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labelOf(node, key) === value)) return false
  if (there.some((other) => portsOf(other).some((port) => portsOf(pod).includes(port)))) return false
  if (there.length + 1 > 8 || there.reduce((sum, other) => sum + cpuOf(other), 0) + cpuOf(pod) > 8) return false
  if (!spreads(world, pod, node)) return false
  const all = [...world.pods.values()]
  for (const other of all)
    for (const term of antiTerms(other)) {
      const value = labelOf(world.nodes.get(other.spec.nodeName ?? ''), term.topologyKey)
      if (isMeant(term, other, pod) && value !== undefined && value === labelOf(node, term.topologyKey)) return false
    }
  if (antiTerms(pod).some((term) => isNear(world, node, term.topologyKey, (other) => isMeant(term, pod, other)))) return false
  const wanted = spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
  if (wanted.every((term) => isNear(world, node, term.topologyKey, (other) => isMeant(term, pod, other)))) return true
  const hasTopology = (term: V1PodAffinityTerm, other: V1Pod) => labelOf(world.nodes.get(other.spec.nodeName ?? ''), term.topologyKey) !== undefined
  const isFirst = !wanted.some((term) => all.some((other) => isMeant(term, pod, other) && hasTopology(term, other)))
  return isFirst && wanted.every((term) => isMeant(term, pod, pod) && labelOf(node, term.topologyKey) !== undefined)
}

class Chance {
  readonly #clock: VirtualClock
  constructor(seed: number) {
    this.#clock = new VirtualClock({ seed })
  }
  upTo = (most: number) => Math.floor(this.#clock.random() * (most + 1))
  one = <T>(values: readonly T[]): T => values[this.upTo(values.length - 1)] as T
  maybe = <T>(outOf: number, make: () => T): T | undefined => (this.upTo(outOf - 1) === 0 ? make() : undefined)
}

function someNode(name: string, chance: Chance): V1Node {
  const inZone: Record<string, string> = chance.upTo(5) > 0 ? { [zone]: chance.one(['a', 'b', 'c']) } : {}
  return {
    metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: '', labels: { [host]: name, disk: chance.one(['ssd', 'hdd']), ...inZone } },
    spec: {
      ...chance.maybe(8, () => ({ unschedulable: true })),
      ...chance.maybe(5, () => ({ taints: [{ key: 'gpu', value: 'yes', effect: chance.one(['NoSchedule', 'NoExecute', 'PreferNoSchedule']) }] })),
    },
    status: { allocatable: { cpu: '8', memory: '8Gi', pods: '8' } },
  }
}

function somePod(name: string, chance: Chance): V1Pod {
  const labelSelector = () => ({ matchLabels: { app: chance.one(['x', 'y']) } })
  const term = (): V1PodAffinityTerm => ({
    topologyKey: chance.one([host, zone]),
    labelSelector: labelSelector(),
    ...chance.maybe(4, () => ({ namespaces: ['one', 'two'] })),
  })
  const spec: V1PodSpec = {
    containers: [
      {
        name: 'main',
        image: 'app',
        resources: { requests: { cpu: String(chance.upTo(2)) } },
        ...chance.maybe(5, () => ({ ports: [{ containerPort: 80, hostPort: chance.one([80, 81]) }] })),
      },
    ],
    affinity: {
      ...chance.maybe(4, () => ({ podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term()] } })),
      ...chance.maybe(4, () => ({ podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term()] } })),
    },
    ...chance.maybe(3, () => ({
      topologySpreadConstraints: [
        {
          topologyKey: chance.one([host, zone]),
          maxSkew: 1 + chance.upTo(1),
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: labelSelector(),
          ...chance.maybe(4, () => ({ minDomains: 3 })),
        },
      ],
    })),
    ...chance.maybe(5, () => ({ nodeSelector: { disk: 'ssd' } })),
    ...chance.maybe(3, () => ({ tolerations: [{ key: 'gpu', operator: 'Exists' }] })),
  }
  const labels = { app: chance.one(['x', 'y', 'z']) }
  return { metadata: { name, namespace: chance.one(['one', 'two']), uid: name, resourceVersion: '1', creationTimestamp: '', labels }, spec }
}

test('filters find the nodes that one finds who counts anew', () => {
  let places = 0
  for (let seed = 1; seed <= 60; seed++) {
    const chance = new Chance(seed)
    const cache = new SchedulerCache()
    const world: World = { nodes: new Map(), pods: new Map() }
    const setNode = (node: V1Node) => {
      world.nodes.set(node.metadata.name, node)
      cache.setNode(node)
    }
    for (let i = 0; i < 6; i++) setNode(someNode(`node-${i}`, chance))
    for (let step = 0; step < 60; step++) {
      const pod = somePod(`pod-${step}`, chance)
      const expected = [...world.nodes.values()].filter((node) => fits(world, pod, node)).map(({ metadata }) => metadata.name)
      assert.deepEqual(byCounts(cache, pod), expected.sort(), `seed ${seed}, step ${step}: ${JSON.stringify(pod.spec)}`)
      places += expected.length
      if (expected.length > 0) {
        const placed: V1Pod = { ...pod, spec: { ...pod.spec, nodeName: chance.one(expected) } }
        if (chance.upTo(1)) cache.assume(podInfo(pod), placed.spec.nodeName ?? '')
        cache.setPod(placed)
        world.pods.set(pod.metadata.name, placed)
      }
      const [leaving] = [...world.pods.values()].slice(chance.upTo(world.pods.size))
      if (leaving && chance.upTo(2) === 0) {
        world.pods.delete(leaving.metadata.name)
        cache.removePod(`${leaving.metadata.namespace}/${leaving.metadata.name}`)
      }
      // Nodes change their labels and taints, and go: their pods stay where they were, on no node.
      if (chance.upTo(5) === 0) setNode(someNode(`node-${chance.upTo(5)}`, chance))
    }
  }
  assert.ok(places > 2000, `only ${places} places were found`)
})
