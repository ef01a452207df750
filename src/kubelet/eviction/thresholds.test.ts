import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { NodeStats } from '../../runtime/runtime.ts'
import { Pressure } from './pressure.ts'
import { kernelProcesses, observeProcesses } from './processes.ts'
import { availableMemory } from './signal-source.ts'
import { keptBack, type Observation, readThresholds, type Signal, thresholdsMet } from './thresholds.ts'

const gibi = 1024 ** 3
const mebi = 1024 ** 2
const seen = (values: Partial<Record<Signal, [available: number, capacity: number]>>) =>
  new Map<Signal, Observation>(Object.entries(values).map(([signal, [available, capacity]]) => [signal as Signal, { available, capacity }]))
const names = (thresholds: readonly { signal: Signal }[]) => thresholds.map(({ signal }) => signal)

describe('eviction thresholds', () => {
  it('are the known ones where nothing is said', () => {
    const short = seen({
      'memory.available': [99 * mebi, 4 * gibi],
      'nodefs.available': [9, 100],
      'nodefs.inodesFree': [4, 100],
      'imagefs.available': [14, 100],
      'imagefs.inodesFree': [4, 100],
      'pid.available': [1, 100],
    })
    assert.deepEqual(names(thresholdsMet(readThresholds({}), short, false)), [
      'memory.available',
      'nodefs.available',
      'nodefs.inodesFree',
      'imagefs.available',
      'imagefs.inodesFree',
    ])
    const enough = seen({ 'memory.available': [100 * mebi, 4 * gibi], 'nodefs.available': [10, 100], 'imagefs.available': [15, 100] })
    assert.deepEqual(thresholdsMet(readThresholds({}), enough, false), [])
    assert.equal(keptBack(readThresholds({}), 'memory.available', 4 * gibi), 100 * mebi)
    assert.equal(keptBack(readThresholds({}), 'nodefs.available', 1000), 100)
  })

  it('replace all of the known ones, and may be switched off one by one', () => {
    assert.deepEqual(readThresholds({ hard: { 'pid.available': '10%', 'nodefs.available': '0%' } }), [{ signal: 'pid.available', below: { fraction: 0.1 } }])
    assert.equal(
      keptBack(readThresholds({ hard: {}, soft: { 'memory.available': '1Gi' }, softGraceSeconds: { 'memory.available': 1 } }), 'memory.available', gibi),
      0,
    )
  })

  it('that make no sense are refused', () => {
    assert.throws(() => readThresholds({ hard: { 'memory.used': '1' } }), /unsupported eviction signal memory\.used/)
    assert.throws(() => readThresholds({ hard: { 'memory.available': '120%' } }), />= 0% and <= 100%/)
    assert.throws(() => readThresholds({ soft: { 'memory.available': '1Gi' } }), /grace period must be specified/)
    assert.throws(() => readThresholds({ hard: { 'memory.available': '-1' } }), /cannot be negative/)
  })
})

describe('pressure', () => {
  it('acts on a soft threshold after its grace period, and keeps the condition for the transition period', () => {
    const pressure = new Pressure(readThresholds({ hard: {}, soft: { 'memory.available': '1Gi' }, softGraceSeconds: { 'memory.available': 90 } }), 300_000)
    const short = seen({ 'memory.available': [gibi - 1, 4 * gibi] })
    const enough = seen({ 'memory.available': [gibi, 4 * gibi] })
    assert.deepEqual(pressure.look(short, 0), [])
    assert.deepEqual(pressure.conditions, ['MemoryPressure'], 'told at once')
    assert.deepEqual(pressure.look(short, 89_999), [])
    assert.deepEqual(names(pressure.look(short, 90_000)), ['memory.available'])
    assert.deepEqual(pressure.look(enough, 100_000), [])
    assert.deepEqual(pressure.look(short, 110_000), [], 'the grace begins anew')
    pressure.look(enough, 120_000)
    pressure.look(enough, 409_999)
    assert.deepEqual(pressure.conditions, ['MemoryPressure'])
    pressure.look(enough, 410_000)
    assert.deepEqual(pressure.conditions, [])
  })

  it('lasts until the minimum reclaim is free; memory comes first', () => {
    const pressure = new Pressure(
      readThresholds({ hard: { 'nodefs.available': '10%', 'memory.available': '1Gi' }, minimumReclaim: { 'nodefs.available': '5' } }),
      0,
    )
    assert.deepEqual(names(pressure.look(seen({ 'nodefs.available': [9, 100], 'memory.available': [1, gibi] }), 0)), ['memory.available', 'nodefs.available'])
    assert.deepEqual(names(pressure.look(seen({ 'nodefs.available': [14, 100], 'memory.available': [gibi, gibi] }), 1)), ['nodefs.available'])
    assert.equal(pressure.isRelieved(seen({ 'nodefs.available': [14, 100] })), false)
    assert.equal(pressure.isRelieved(seen({ 'nodefs.available': [15, 100] })), true)
    assert.deepEqual(pressure.look(seen({ 'nodefs.available': [15, 100] }), 2), [])
    assert.deepEqual(pressure.look(seen({ 'nodefs.available': [14, 100] }), 3), [], 'once resolved, the threshold alone counts')
  })
})

it('signals are read as the kernel writes them', () => {
  assert.equal(availableMemory('MemTotal:       24560604 kB\nMemFree:         3000000 kB\nMemAvailable:   19000000 kB\n'), 19_000_000 * 1024)
  assert.equal(availableMemory('MemTotal: 1 kB\n'), undefined)
  const load = '0.52 0.58 0.59 3/1215 34567\n'
  assert.deepEqual(kernelProcesses(load, ['32768\n', '192731\n']), { available: 32768 - 1215, capacity: 32768 })
  assert.deepEqual(kernelProcesses(load, ['4194304\n', '192731\n']), { available: 192731 - 1215, capacity: 192731 })
  assert.equal(kernelProcesses(load, ['']), undefined)
})

it('the narrowest limit on processes holds: of the machine, or of a control group', async () => {
  const memory = { usageBytes: 0, workingSetBytes: 0, rssBytes: 0 }
  const seen = (more: Partial<NodeStats>) =>
    observeProcesses({ nodeStats: async () => ({ at: 0, cpu: { usageCoreNanoSeconds: 0 }, memory, pids: 0, ...more }) })
  const limits = { limit: 500, used: 400 }
  assert.deepEqual(await seen({ pidLimits: [limits, { limit: 450, used: 10 }] }), { available: 100, capacity: 500 })
  assert.equal((await seen({ pidMax: 2_000_000_000 }))?.capacity, (await seen({}))?.capacity)
  assert.deepEqual(await seen({ pidMax: 1, pidLimits: [limits] }), { available: 0, capacity: 1 })
})
