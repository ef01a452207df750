/**
 * Durable puts and reads of our store, as the API server calls it, and of etcd, as another API server would call it, where
 * a program `etcd` is at hand: by the same process, in turn, over the same disk.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { connectEtcd } from '../load/etcd-client.ts'
import type { Result, SkiffMeasure } from '../measure.ts'
import { temporaryDirectory } from '../skiff.ts'
import { median, pause } from '../statistics.ts'

const writers = 32
const rounds = 5
const sliceMs = 2000
const rangeKeys = 1000
const value = new TextEncoder().encode(JSON.stringify({ kind: 'ConfigMap', data: { text: 'x'.repeat(600) } }))

interface Side {
  name: string
  put(key: string): Promise<unknown>
  /** Reads all keys with the prefix; how many there are. */
  range(prefix: string): Promise<number>
  close(): Promise<void>
}

async function sqlite(directory: string): Promise<Side> {
  const store = await openSqliteStore(join(directory, 'state.db'))
  return {
    name: 'SQLite store',
    put: (key) => store.put(key, value, 0),
    range: async (prefix) => (await store.range(prefix)).kvs.length,
    close: () => store.close(),
  }
}

const etcdVersion = () => /etcd Version: (\S+)/.exec(spawnSync('etcd', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1]

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

async function etcd(directory: string, version: string): Promise<Side> {
  const [client, peer] = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`]
  const words = ['--data-dir', join(directory, 'etcd'), '--listen-client-urls', client, '--advertise-client-urls', client, '--listen-peer-urls', peer]
  const child: ChildProcess = spawn('etcd', [...words, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`], { stdio: 'ignore' })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const connection = connectEtcd(client.slice('http://'.length))
  await connection.ready()
  return {
    name: `etcd ${version}`,
    put: (key) => connection.put(key, value),
    range: (prefix) => connection.range(prefix),
    async close() {
      connection.close()
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function puts(side: Side, round: number): Promise<number> {
  let number = 0
  const started = performance.now()
  const end = started + sliceMs
  const write = async () => {
    while (performance.now() < end) await side.put(`/registry/configmaps/r${round}/${number++}`)
  }
  await Promise.all(Array.from({ length: writers }, write))
  return number / ((performance.now() - started) / 1000)
}

async function ranges(side: Side): Promise<number> {
  let count = 0
  const started = performance.now()
  while (performance.now() < started + sliceMs / 4) {
    const found = await side.range('/registry/few/')
    if (found !== rangeKeys) throw new Error(`${side.name}: ${found} keys were read, not ${rangeKeys}`)
    count += found
  }
  return count / ((performance.now() - started) / 1000)
}

export const store: SkiffMeasure = {
  name: 'store',
  needs: 'skiff',
  summary: 'durable puts and reads of the store, beside etcd where it is installed',
  async run() {
    const directory = temporaryDirectory()
    const sides: Side[] = []
    try {
      const version = etcdVersion()
      sides.push(await sqlite(directory))
      if (version) sides.push(await etcd(directory, version))
      for (const side of sides) await Promise.all(Array.from({ length: rangeKeys }, (_, index) => side.put(`/registry/few/${index}`)))
      const written = new Map<Side, number[]>(sides.map((side) => [side, []]))
      const read = new Map<Side, number[]>(sides.map((side) => [side, []]))
      for (let round = 0; round < rounds; round++)
        for (const side of round % 2 ? [...sides].reverse() : sides) {
          written.get(side)?.push(await puts(side, round))
          read.get(side)?.push(await ranges(side))
          await pause(200)
        }
      const how = `${rounds} rounds in turn; ${value.length} bytes`
      return sides.flatMap((side): Result[] => [
        { what: `${side.name}: durable puts`, value: median(written.get(side) ?? []), unit: '/s', how: `${writers} at once, median of ${how}` },
        { what: `${side.name}: keys read in ranges`, value: median(read.get(side) ?? []), unit: '/s', how: `${rangeKeys} at a time, median of ${how}` },
      ])
    } finally {
      for (const side of sides) await side.close()
      rmSync(directory, { recursive: true, force: true })
    }
  },
}
