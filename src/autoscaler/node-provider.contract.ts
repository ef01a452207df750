/** What every {@link NodeProvider} keeps to. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodePool } from './node-pool.ts'
import type { NodeGroup, NodeProvider } from './node-provider.ts'

export interface ProviderUnderTest {
  provider: NodeProvider
  pool: NodePool
  /** Lets a moment pass. */
  wait(): Promise<void>
  stop(): Promise<void>
}

export function nodeProviderContract(name: string, start: () => Promise<ProviderUnderTest>): void {
  async function until(wait: () => Promise<void>, holds: () => Promise<boolean>): Promise<void> {
    for (let i = 0; i < 200 && !(await holds()); i++) await wait()
    assert.ok(await holds())
  }

  async function withGroup(run: (group: NodeGroup, wait: () => Promise<void>) => Promise<void>): Promise<void> {
    const { provider, pool, wait, stop } = await start()
    try {
      await provider.refresh()
      await run(await provider.group(pool), wait)
    } finally {
      await provider.close()
      await stop()
    }
  }

  test(`${name}: a group begins empty, and says how its nodes will be`, () =>
    withGroup(async (group) => {
      assert.equal(await group.targetSize(), 0)
      assert.deepEqual(await group.instances(), [])
      const template = await group.template()
      assert.equal(template?.status?.allocatable?.cpu, '4')
      assert.equal(template?.status?.allocatable?.memory, '16Gi')
      assert.equal(template?.metadata.labels?.size, 'large')
    }))

  test(`${name}: what is wished for counts at once, and comes; each has a name of its own`, () =>
    withGroup(async (group, wait) => {
      await group.increase(2)
      assert.equal(await group.targetSize(), 2)
      await until(wait, async () => (await group.instances()).filter(({ state }) => state === 'running').length === 2)
      await group.increase(1)
      await until(wait, async () => (await group.instances()).length === 3)
      assert.equal(new Set((await group.instances()).map(({ id }) => id)).size, 3)
    }))

  test(`${name}: only those that are named go, and once is enough`, () =>
    withGroup(async (group, wait) => {
      await group.increase(2)
      await until(wait, async () => (await group.instances()).filter(({ state }) => state === 'running').length === 2)
      const [first, second] = await group.instances()
      assert.ok(first && second)
      await group.remove([first])
      await until(wait, async () => (await group.instances()).length === 1)
      assert.equal((await group.instances())[0]?.id, second.id)
      assert.equal(await group.targetSize(), 1)
      await group.remove([first])
      assert.equal(await group.targetSize(), 1)
    }))

  test(`${name}: one that is still coming may go`, () =>
    withGroup(async (group, wait) => {
      await group.increase(1)
      await until(wait, async () => (await group.instances()).length === 1)
      await group.remove(await group.instances())
      await until(wait, async () => (await group.instances()).length === 0)
      assert.equal(await group.targetSize(), 0)
    }))

  test(`${name}: the same pool is the same group`, async () => {
    const { provider, pool, wait, stop } = await start()
    try {
      await (await provider.group(pool)).increase(1)
      await until(wait, async () => (await (await provider.group({ ...pool, spec: { ...pool.spec, maxSize: 9 } })).targetSize()) === 1)
    } finally {
      await provider.close()
      await stop()
    }
  })
}
