/** Laws that hold for any sets, objects and appliers; tried on seeded random ones, so a failure repeats. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { strategicMergePatch } from '../patch/strategic-merge.ts'
import { readBuiltInSchema } from '../schema/built-in.ts'
import type { V1ManagedFieldsEntry } from '../schema/generated/types.ts'
import { Schema } from '../schema/schema.ts'
import { apply } from './apply.ts'
import { difference, equalSets, type FieldSet, intersection, isEmpty, leaf, node, paths, sorted, union } from './field-set.ts'
import { ownable } from './identity-fields.ts'
import { mergeApplied } from './merge-applied.ts'
import { fieldsOf } from './object-fields.ts'
import { trackUpdate } from './track-update.ts'

const schema = new Schema(readBuiltInSchema())
const struct = schema.model('V1Deployment')

function generator(seed: number) {
  let state = seed
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const below = (n: number) => Math.floor(next() * n)
  const chance = (p: number) => next() < p
  /** Not empty: an empty list belongs to nobody, and is not kept. */
  const any = <T>(items: readonly [T, ...T[]]): T[] => [items[0], ...items.slice(1).filter(() => chance(0.5))]
  return { below, chance, any, some: <T>(items: readonly T[]): T[] => items.filter(() => chance(0.5)) }
}
type Random = ReturnType<typeof generator>

function randomSet(random: Random, depth = 3): FieldSet {
  const result: Record<string, FieldSet> = {}
  for (const element of random.some(['f:a', 'f:b', 'k:{"name":"x"}', 'v:1'])) {
    const child = node(random.chance(0.5), depth > 0 && random.chance(0.6) ? randomSet(random, depth - 1) : undefined)
    if (child) result[element] = child
  }
  return result
}

const membersOf = (set: FieldSet): Set<string> => new Set([...paths(set)].map((path) => path.join('/')))

test('sets of fields are sets', () => {
  const random = generator(7)
  for (let round = 0; round < 2000; round++) {
    const a = randomSet(random)
    const b = randomSet(random)
    const [inA, inB] = [membersOf(a), membersOf(b)]
    assert.deepEqual(membersOf(union(a, b)), inA.union(inB))
    assert.deepEqual(membersOf(intersection(a, b)), inA.intersection(inB))
    assert.deepEqual(membersOf(difference(a, b)), inA.difference(inB))
    assert(equalSets(sorted(a), a))
    assert.equal(sorted(sorted(a)), sorted(sorted(a)))
    assert(isEmpty(difference(a, a)) || membersOf(difference(a, a)).size === 0)
  }
  assert(isEmpty(leaf))
})

interface Thing {
  apiVersion: string
  kind: string
  metadata: { name: string; managedFields?: V1ManagedFieldsEntry[]; labels?: Record<string, string> }
  spec?: unknown
}

function randomThing(random: Random): Thing {
  const container = (name: string) => ({
    name,
    ...(random.chance(0.7) ? { image: `i:${random.below(3)}` } : {}),
    ...(random.chance(0.5) ? { args: random.any(['x', 'y']) } : {}),
    ...(random.chance(0.5) ? { env: random.any(['A', 'B', 'C']).map((key) => ({ name: key, value: String(random.below(2)) })) } : {}),
    ...(random.chance(0.5)
      ? { ports: random.any([80, 81]).map((containerPort) => ({ containerPort, ...(random.chance(0.5) ? { protocol: 'UDP' } : {}) })) }
      : {}),
  })
  const thing: Thing = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' } }
  if (random.chance(0.6)) thing.metadata.labels = Object.fromEntries(random.any(['l', 'm', 'n']).map((key) => [key, String(random.below(2))]))
  const containers = random.any(['a', 'b', 'c']).map(container)
  if (random.chance(0.3)) containers.reverse()
  thing.spec = { ...(random.chance(0.5) ? { replicas: random.below(3) } : {}), template: { spec: { containers } } }
  return thing
}

const entry = (thing: Thing, manager: string) => thing.metadata.managedFields?.find((one) => one.manager === manager)?.fieldsV1 as FieldSet | undefined

test('apply: the applier gets what it wants, owns exactly that, and a second time changes nothing', () => {
  const random = generator(11)
  const options = { schema, model: 'V1Deployment', apiVersion: 'apps/v1', now: 0, force: true }
  for (let round = 0; round < 400; round++) {
    let live: Thing | undefined
    for (let step = 0; step < 6; step++) {
      const manager = `m${random.below(3)}`
      const wanted = randomThing(random)
      const before = JSON.stringify(live)
      if (live !== undefined && random.chance(0.3)) {
        const { managedFields } = live.metadata
        const updated: Thing = { ...wanted, metadata: { ...wanted.metadata, ...(managedFields ? { managedFields } : {}) } }
        live = trackUpdate({ ...options, manager: `u${random.below(2)}`, live, updated })
        continue
      }
      const result: Thing = apply({ ...options, manager, live, applied: wanted })
      assert.equal(JSON.stringify(live), before)
      assert.deepEqual(mergeApplied(struct, result, wanted), result)
      assert(equalSets(entry(result, manager) ?? {}, ownable(fieldsOf(struct, wanted))), `round ${round}`)
      assert.equal(apply({ ...options, manager, live: result, applied: wanted, now: 5000 }), result, `round ${round}`)
      live = result
    }
  }
})

test('apply: to give up everything removes all that nobody else owns', () => {
  const random = generator(13)
  const options = { schema, model: 'V1Deployment', apiVersion: 'apps/v1', now: 0, force: true }
  for (let round = 0; round < 300; round++) {
    const live = apply({ ...options, manager: 'm', live: undefined, applied: randomThing(random) })
    const bare: Thing = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' } }
    const { managedFields: _, ...metadata } = apply({ ...options, manager: 'm', live, applied: bare }).metadata
    const rest = apply({ ...options, manager: 'm', live, applied: bare })
    assert.deepEqual({ ...rest, metadata }, bare)
  }
})

test('strategic merge: twice is as once, nothing is nothing, and what was given stays as it was', () => {
  const random = generator(17)
  for (let round = 0; round < 1000; round++) {
    const original = randomThing(random)
    const patch = randomThing(random)
    const before = JSON.stringify([original, patch])
    const once = strategicMergePatch(schema, 'V1Deployment', original, patch)
    assert.deepEqual(strategicMergePatch(schema, 'V1Deployment', once, patch), once, `round ${round}`)
    assert.deepEqual(strategicMergePatch(schema, 'V1Deployment', original, {}), original)
    assert.equal(JSON.stringify([original, patch]), before)
  }
})
