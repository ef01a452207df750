import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { realClock } from '../../machinery/real-clock.ts'
import type { Behaviour } from '../testing/provider-process.ts'
import { end, startProvider } from '../testing/start-provider.ts'
import { ProviderConnection } from './provider-connection.ts'

describe('a provider that does not answer', { timeout: 20_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-provider-'))
  const timeoutMs = 500
  let provider: Awaited<ReturnType<typeof startProvider>>
  let connection: ProviderConnection
  const behave = (behaviour: Behaviour) => writeFileSync(join(directory, 'behaviour.json'), JSON.stringify(behaviour))
  before(async () => {
    provider = await startProvider(directory)
    connection = new ProviderConnection(provider.address, realClock, { timeoutMs })
  })
  after(async () => {
    connection.close()
    await end(provider.child)
    rmSync(directory, { recursive: true })
  })
  const tooLate = (name: string) => ({ message: `the provider at ${provider.address} did not answer ${name} within 0.5s` })
  const sizeOf = (id: string) => connection.call('NodeGroupTargetSize', { id })

  it('is waited for once; then it is said at once, and what it does answer is heard', async () => {
    assert.deepEqual(await sizeOf('large'), { size: 0 })
    behave({ delayMs: { NodeGroupTargetSize: 60_000 } })
    await assert.rejects(sizeOf('large'), tooLate('NodeGroupTargetSize'))
    const start = realClock.monotonic()
    for (let i = 0; i < 20; i++) await assert.rejects(sizeOf('large'), tooLate('NodeGroupTargetSize'))
    assert.ok(realClock.monotonic() - start < timeoutMs, 'nobody waits')
    assert.equal((await connection.call('NodeGroupNodes', { id: 'large' })).instances.length, 0)
  })

  it('is heard again as soon as it answers', async () => {
    behave({})
    const { message } = tooLate('NodeGroupTargetSize')
    const start = realClock.monotonic()
    for (;;) {
      try {
        assert.deepEqual(await sizeOf('large'), { size: 0 })
        return
      } catch (error) {
        if (!(error instanceof Error) || error.message !== message || realClock.monotonic() - start > 20 * timeoutMs) throw error
      }
      await realClock.sleep(20)
    }
  })

  it('is waited for each time where something is to be done', async () => {
    behave({ delayMs: { NodeGroupIncreaseSize: 60_000 } })
    for (const _ of [1, 2]) {
      const start = realClock.monotonic()
      await assert.rejects(connection.call('NodeGroupIncreaseSize', { id: 'slow', delta: 1 }), tooLate('NodeGroupIncreaseSize'))
      assert.ok(realClock.monotonic() - start >= timeoutMs)
    }
  })
})
