import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Kubectl, kubectl } from '../tools/kubectl.ts'
import { serveSession } from './stand-in-kubelet.ts'

/** Enough of an API server for kubectl to find the pod `web`. */
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default' },
  spec: { containers: [{ name: 'web', image: 'web', stdin: true }] },
  status: { phase: 'Running' },
}
const resources = {
  kind: 'APIResourceList',
  groupVersion: 'v1',
  resources: [{ name: 'pods', singularName: 'pod', namespaced: true, kind: 'Pod', verbs: ['get', 'list'], shortNames: ['po'] }],
}
const documents: Record<string, unknown> = {
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
  '/api/v1': resources,
  '/api/v1/namespaces/default/pods/web': pod,
}

const server = createServer((request, response) => {
  const found = documents[(request.url ?? '').split('?')[0] ?? '']
  response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(found ?? { kind: 'Status', status: 'Failure', code: 404 }))
})
server.on('upgrade', (request, socket, head) => void serveSession({ request, socket, head }))
const web = createServer((request, response) => response.end(`you asked for ${request.url}`))

let dir: string
let call: Kubectl
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'skiff-streams-'))
  await Promise.all([once(server.listen(0, '127.0.0.1'), 'listening'), once(web.listen(0, '127.0.0.1'), 'listening')])
  const { port } = server.address() as AddressInfo
  const file = join(dir, 'kubeconfig')
  await writeFile(
    file,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: '' } }],
      'current-context': 'c',
    }),
  )
  call = await kubectl(file)
})
after(async () => {
  server.closeAllConnections()
  server.close()
  web.close()
  await rm(dir, { recursive: true })
})

const transports: [string, Record<string, string>][] = [
  ['WebSocket', {}],
  ['SPDY', { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' }],
]
for (const [name, env] of transports)
  describe(`kubectl over ${name}`, () => {
    before(async () => {
      call = await kubectl(join(dir, 'kubeconfig'), { env })
    })

    it('runs a command and tells its output, errors and exit code', async () => {
      const { code, stdout, stderr } = await call.run(['exec', 'web', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3'])
      assert.equal(stdout, 'out\n')
      assert.match(stderr, /^err\ncommand terminated with exit code 3/)
      assert.equal(code, 3)
    })

    it('says why a command could not be run', async () => {
      const { code, stderr } = await call.run(['exec', 'web', '--', 'missing'])
      assert.match(stderr, /Internal error occurred: no such container/)
      assert.equal(code, 1)
    })

    it('carries input to its end, and much output', async () => {
      assert.equal(await call('exec -i web -- wc -c', { stdin: 'x'.repeat(300_000) }), '300000\n')
      const out = await call("exec web -- sh -c 'seq 1 400000'")
      assert.equal(out.length, Array.from({ length: 400_000 }, (_, index) => `${index + 1}\n`).join('').length)
    })

    it('copies files both ways', async () => {
      await mkdir(join(dir, 'pod'), { recursive: true })
      await writeFile(join(dir, 'local'), 'x'.repeat(100_000))
      await call(`cp ${join(dir, 'local')} web:${join(dir, 'pod', 'copied')}`)
      assert.equal((await readFile(join(dir, 'pod', 'copied'), 'utf8')).length, 100_000)
      await call(`cp web:${join(dir, 'pod', 'copied')} ${join(dir, 'back')}`)
      assert.equal((await readFile(join(dir, 'back'), 'utf8')).length, 100_000)
    })

    it('attaches', async () => {
      assert.equal(await call('attach -i web', { stdin: 'hello\n' }), 'attached\nhello\n')
    })

    /** Starts a port-forward and answers the local port, once it listens. */
    async function forwarded(remote: number, use: (local: number, ended: Promise<unknown>) => Promise<void>): Promise<void> {
      const child = call.start(['port-forward', 'pod/web', `:${remote}`])
      try {
        let said = ''
        for await (const text of child.stdout.iterator({ destroyOnReturn: false })) {
          said += text
          if (/127.0.0.1:\d+ -> /.test(said)) break
        }
        await use(Number(/127.0.0.1:(\d+) -> /.exec(said)?.[1]), once(child, 'close'))
      } finally {
        child.kill()
      }
    }

    it('forwards a port, one connection after another', async () => {
      await forwarded((web.address() as AddressInfo).port, async (local) => {
        for (const path of ['/a', '/b']) assert.equal(await fetched(local, path), `you asked for ${path}`)
        const many = Array.from({ length: 10 }, (_, index) => `/${index}`)
        assert.deepEqual(
          await Promise.all(many.map((path) => fetched(local, path))),
          many.map((path) => `you asked for ${path}`),
        )
      })
    })

    it('tells of a connection that the pod refuses', async () => {
      await forwarded(1, async (local, ended) => {
        await assert.rejects(fetched(local, '/'))
        assert.deepEqual(await ended, [1, null], 'kubectl takes this for the end of the pod')
      })
    })
  })

function fetched(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ port, path, host: '127.0.0.1', agent: false }, async (response) => {
      let text = ''
      for await (const chunk of response) text += chunk
      resolve(text)
    })
    request.on('error', reject)
  })
}
