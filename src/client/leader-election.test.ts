import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../machinery/virtual-clock.ts'
import { createClient } from './api-client.ts'
import { ConnectionError } from './connection-error.ts'
import { runLeaderElection } from './leader-election.ts'
import { silentLogger } from './logger.ts'
import { Lease } from './resources.ts'
import { MemoryServer } from './testing/memory-server.ts'

const lease = { namespace: 'kube-system', name: 'test' }

function setUp(seed = 1) {
  const clock = new VirtualClock({ seed })
  const server = new MemoryServer(clock)
  const leading = new Set<string>()
  const history: string[] = []
  let most = 0
  const stand = (identity: string) => {
    const stop = new AbortController()
    const over = runLeaderElection({
      client: createClient(server, { userAgent: identity }),
      clock,
      log: silentLogger,
      ...lease,
      identity,
      signal: stop.signal,
      async lead(signal) {
        leading.add(identity)
        history.push(identity)
        most = Math.max(most, leading.size)
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve())
        })
        leading.delete(identity)
      },
    })
    return {
      stop: async () => {
        stop.abort()
        await clock.advance(0)
        await over
      },
    }
  }
  return { clock, server, leading, history, stand, most: () => most }
}

test('one leads; when it stops it gives the lease back, and the other leads soon', async () => {
  const { clock, leading, stand, server, most } = setUp()
  const a = stand('a')
  await clock.advance(1)
  const b = stand('b')
  await clock.advance(60_000)
  assert.deepEqual([...leading], ['a'])
  await a.stop()
  await clock.advance(5_000)
  assert.deepEqual([...leading], ['b'])
  assert.equal(most(), 1)
  const { spec } = await createClient(server, { userAgent: 'test' }).get(Lease, lease)
  assert.equal(spec.holderIdentity, 'b')
  assert.equal(spec.leaseTransitions, 1)
  assert.equal(spec.leaseDurationSeconds, 15)
  await b.stop()
})

test('a leader that is cut off has stopped before another takes over', async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const { clock, server, leading, stand, most, history } = setUp(seed)
    const a = stand('a')
    await clock.advance(10_000)
    const b = stand('b')
    let cut = 'a'
    server.intercept = ({ headers }) => {
      if (headers?.['user-agent'] === cut) throw new ConnectionError('connect ETIMEDOUT', 'ETIMEDOUT')
      return undefined
    }
    await clock.advance(60_000)
    assert.deepEqual([...leading], ['b'])
    cut = 'b'
    await clock.advance(60_000)
    assert.deepEqual([...leading], ['a'])
    assert.equal(most(), 1)
    assert.deepEqual(history, ['a', 'b', 'a'])
    cut = ''
    await a.stop()
    await b.stop()
  }
})

test('two that stand at the same moment: one wins', async () => {
  const { clock, leading, stand } = setUp()
  const all = ['a', 'b', 'c'].map(stand)
  await clock.advance(30_000)
  assert.equal(leading.size, 1)
  await Promise.all(all.map(({ stop }) => stop()))
})

test('who comes back under its own name leads at once, and nobody else meanwhile', async () => {
  const { clock, server, leading, history, stand, most } = setUp()
  const first = stand('a')
  await clock.advance(10_000)
  const other = stand('b')
  await clock.advance(10_000)
  // As a process that is killed: no word of it any more, and the Lease still is its own.
  let killed = true
  server.intercept = ({ headers }) => {
    if (killed && headers?.['user-agent'] === 'a') throw new ConnectionError('connect ECONNREFUSED', 'ECONNREFUSED')
    return undefined
  }
  await first.stop()
  killed = false
  const again = stand('a')
  await clock.advance(1)
  assert.deepEqual([...leading], ['a'])
  await clock.advance(120_000)
  assert.deepEqual([...leading], ['a'])
  assert.deepEqual(history, ['a', 'a'])
  assert.equal(most(), 1)
  const { spec } = await createClient(server, { userAgent: 'test' }).get(Lease, lease)
  assert.equal(spec.leaseTransitions, 0)
  await again.stop()
  await other.stop()
})

test('a holder renews with one request', async () => {
  const { clock, server, stand } = setUp()
  const a = stand('a')
  await clock.advance(1)
  const requests: string[] = []
  server.intercept = ({ method }) => {
    requests.push(method)
    return undefined
  }
  await clock.advance(20_000)
  assert.deepEqual(requests, Array(10).fill('PUT'))
  await a.stop()
})
