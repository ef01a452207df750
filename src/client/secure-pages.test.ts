import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ensurePki, type Pki } from '../cluster/pki/pki.ts'
import { MetricRegistry } from '../machinery/metrics/registry.ts'
import { valueIn } from '../machinery/metrics/testing/read-metrics.ts'
import { realClock } from '../machinery/real-clock.ts'
import type { Client } from './client.ts'
import { SecurePages } from './secure-pages.ts'

let directory: string
let pki: Pki
let pages: SecurePages
let ports: number[]
let unwell: string | undefined
let reviews = 0

/** Knows one token, whose user may read metrics; the second component's users may nothing. */
const client = {
  async create({ kind }: { kind: string }, { spec }: { spec: { token?: string; user?: string; nonResourceAttributes?: { path: string } } }) {
    reviews++
    if (kind === 'TokenReview') return { status: spec.token === 'good' ? { authenticated: true, user: { username: 'prometheus', groups: [] } } : {} }
    return { status: { allowed: spec.user === 'prometheus' && spec.nonResourceAttributes?.path === '/metrics' } }
  },
} as unknown as Client

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'skiff-secure-pages-'))
  pki = await ensurePki(join(directory, 'pki'), { clock: realClock })
  const serving = await pki.extensionServing('components', ['localhost'], ['127.0.0.1'])
  pages = new SecurePages({ clock: realClock, certificate: async () => serving, clientCa: pki.ca.certificate })
  const registryOf = (name: string) => {
    const registry = new MetricRegistry()
    registry.counter(`${name}_total`, 'x').of().add()
    return registry
  }
  const serve = (name: string) =>
    pages.serve({
      host: '127.0.0.1',
      port: 0,
      registry: registryOf(name),
      client,
      pages: { '/metrics/resources': () => `# of ${name}\n` },
      unwell: () => unwell,
    })
  ports = [await serve('scheduler'), await serve('manager')]
})
after(async () => {
  await pages.stop()
  rmSync(directory, { recursive: true })
})

async function get(
  port: number | undefined,
  path: string,
  options: { token?: string; cert?: string; key?: string } = {},
): Promise<[number | undefined, string]> {
  const { token, cert, key } = options
  const headers = token ? { authorization: `Bearer ${token}` } : {}
  const asking = request({ host: '127.0.0.1', port, path, ca: pki.ca.certificate, cert, key, headers, agent: false })
  asking.end()
  const [answer] = await once(asking, 'response')
  return [answer.statusCode, Buffer.concat(await answer.toArray()).toString()]
}

test('each component is told of on its own port, to who may read it', async () => {
  assert.match((await get(ports[0], '/metrics', { token: 'good' }))[1], /^scheduler_total 1$/m)
  const [status, text] = await get(ports[1], '/metrics', { token: 'good' })
  assert.equal(status, 200)
  assert.match(text, /^manager_total 1$/m)
  const admin = { cert: pki.admin.certificate, key: pki.admin.key }
  assert.equal((await get(ports[0], '/metrics', admin))[0], 200)
  assert.equal((await get(ports[0], '/other', admin))[0], 404)
  assert.deepEqual(await get(ports[1], '/metrics/resources', admin), [200, '# of manager\n'])
  assert.equal((await get(ports[1], '/metrics/resources', { token: 'good' }))[0], 403)
  const well = async () => valueIn((await get(ports[0], '/metrics/slis', admin))[1], 'kubernetes_healthcheck', { type: 'livez' })
  assert.equal(await well(), 1)
  unwell = 'it is stopped'
  assert.equal(await well(), 0)
  unwell = undefined
})

test('nobody else is', async () => {
  const [status, text] = await get(ports[0], '/metrics')
  assert.deepEqual([status, JSON.parse(text).message], [403, 'forbidden: User "system:anonymous" cannot get path "/metrics"'])
  assert.equal((await get(ports[0], '/metrics', { token: 'bad' }))[0], 401)
  assert.equal((await get(ports[0], '/debug', { token: 'good' }))[0], 403)
})

test('health is told to everybody, and answers of the API server are remembered', async () => {
  assert.deepEqual(await get(ports[0], '/healthz'), [200, 'ok'])
  unwell = 'it does not lead'
  assert.deepEqual(await get(ports[0], '/readyz'), [500, 'it does not lead\n'])
  await get(ports[0], '/metrics', { token: 'good' })
  const asked = reviews
  await get(ports[0], '/metrics', { token: 'good' })
  assert.equal(reviews, asked)
})
