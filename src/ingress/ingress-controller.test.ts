import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { componentContext } from '../../test/tools/component-context.ts'
import { eventually, inNetworkNamespace, makeNetns, startTestPod, type TestPod } from '../../test/tools/network-namespace.ts'
import { Event } from '../apis/core/event.ts'
import { Secret } from '../apis/core/secret.ts'
import { Service } from '../apis/core/service.ts'
import { EndpointSlice } from '../apis/discovery/endpoint-slice.ts'
import { Ingress } from '../apis/networking/ingress.ts'
import { IngressClass } from '../apis/networking/ingress-class.ts'
import type { Component } from '../client/component.ts'
import type { Clock, Timer } from '../machinery/clock.ts'
import { type Labels, valueIn } from '../machinery/metrics/testing/read-metrics.ts'
import { parseStrictly } from '../machinery/metrics/testing/strict-parser.ts'
import { realClock } from '../machinery/real-clock.ts'
import type { V1Endpoint, V1IngressSpec } from '../machinery/schema/generated/types.ts'
import type { ListenAddress } from '../network/health-server.ts'
import { ensureNodeNetwork } from '../network/node-network.ts'
import { createPodNetwork } from '../network/pod-network.ts'
import { Certificates } from './certificates.ts'
import { nginxIngressClass } from './ingress-class.ts'
import { startIngressController } from './ingress-controller.ts'

const run = promisify(execFile)

inNetworkNamespace(
  import.meta.url,
  () => {
    const context = componentContext()
    const { client } = context
    const network = { bridge: 'skiff0', podCIDR: '10.244.0.0/24', clusterCIDR: '10.244.0.0/16', serviceCIDR: '10.96.0.0/12' }
    const stateDirectory = mkdtempSync(join(tmpdir(), 'skiff-ingress-'))
    const pods: TestPod[] = []
    let controller: Component
    /** Of which it is only pretended that they were killed. */
    const forgotten: Component[] = []
    /** Of the first one, which must not go on reading what requests there were when it counts as killed. */
    const beats: Timer[] = []
    const mortalClock: Clock = {
      ...realClock,
      every(ms, callback) {
        const beat = realClock.every(ms, callback)
        beats.push(beat)
        return beat
      },
    }

    const start = (within = context, more: { metrics?: ListenAddress } = {}) => {
      return startIngressController(within, {
        // As the launcher does it: a socket that was made elsewhere, beside one that nginx opens itself.
        http: [
          { address: '127.0.0.1', port: 8080, fd: 3 },
          { address: '10.244.0.1', port: 80 },
        ],
        https: [{ address: '127.0.0.1', port: 8443 }],
        publishAddress: '127.0.0.1',
        stateDirectory,
        ...more,
      })
    }
    /** Status code and body. */
    async function ask(host: string, path = '/', ...options: string[]): Promise<{ status: number; body: string; headers: string }> {
      const base = options.includes('--tls') ? 'https://127.0.0.1:8443' : 'http://127.0.0.1:8080'
      const args = ['-sS', '-m', '3', '-k', '-i', '-H', `Host: ${host}`, ...options.filter((option) => option !== '--tls'), `${base}${path}`]
      const { stdout } = await run('curl', args)
      const [headers = '', body = ''] = stdout.split('\r\n\r\n')
      return { status: Number(/^HTTP\S+ (\d+)/.exec(headers)?.[1]), body, headers }
    }
    const endpoint = (index: number, conditions: V1Endpoint['conditions'] = { ready: true }): V1Endpoint => ({
      addresses: [`10.244.0.${2 + index}`],
      conditions,
    })
    async function createService(name: string, endpoints: V1Endpoint[]): Promise<void> {
      await client.create(Service, { metadata: { name, namespace: 'shop' }, spec: { clusterIP: '10.96.0.10', ports: [{ name: 'http', port: 80 }] } })
      await client.create(EndpointSlice, {
        metadata: { name: `${name}-1`, namespace: 'shop', labels: { 'kubernetes.io/service-name': name } },
        addressType: 'IPv4',
        ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
        endpoints,
      })
    }
    async function setEndpoints(name: string, endpoints: V1Endpoint[]): Promise<void> {
      const slice = await client.get(EndpointSlice, { namespace: 'shop', name: `${name}-1` })
      await client.update(EndpointSlice, { ...slice, endpoints })
    }
    const createIngress = (name: string, spec: V1IngressSpec, annotations: Record<string, string> = {}) =>
      client.create(Ingress, { metadata: { name, namespace: 'shop', annotations }, spec })
    const annotated = (values: Record<string, string>) =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [`nginx.ingress.kubernetes.io/${name}`, value]))
    const rule = (host: string, path = '/', pathType = 'Prefix', service = 'web') => ({
      host,
      http: { paths: [{ path, pathType, backend: { service: { name: service, port: { number: 80 } } } }] },
    })
    const nginxPid = () => Number(readFileSync(join(stateDirectory, 'nginx.pid'), 'utf8'))
    const events = async (name: string) => (await client.list(Event, {})).items.filter((event) => event.involvedObject.name === name)

    before(async () => {
      await ensureNodeNetwork(network)
      const podNetwork = createPodNetwork({ network, stateDirectory: '/run/state' })
      for (const name of ['a', 'b', 'c']) {
        const netnsPath = makeNetns(name)
        await podNetwork.attach({ id: name, namespace: 'shop', name, netnsPath, portMappings: [] })
        pods.push(await startTestPod(name, netnsPath))
      }
      await client.create(IngressClass, nginxIngressClass())
      controller = await start({ ...context, clock: mortalClock })
    })
    after(async () => {
      await Promise.all([controller, ...forgotten].map((one) => one.stop()))
      context.informers.stop()
      for (const pod of pods) await pod.stop()
      await eventually('no nginx is left', () => !readdirSync('/proc').some((pid) => /^\d+$/.test(pid) && cmdline(pid).includes(stateDirectory)))
      rmSync(stateDirectory, { recursive: true })
      assert.deepEqual(context.warnings, [])
    })

    test('a host leads to its Service; others to the default backend; status and events tell', async () => {
      await createService('web', [endpoint(0), endpoint(1)])
      await createIngress('web', { rules: [rule('app.example.com')] })
      const answer = await eventually('routed', async () => {
        const found = await ask('app.example.com', '/x?y=1')
        return found.status === 200 ? found : undefined
      })
      const seen = JSON.parse(answer.body) as { url: string; from: string; headers: Record<string, string> }
      assert.deepEqual([seen.url, seen.from], ['/x?y=1', '10.244.0.1'])
      assert.deepEqual(
        ['host', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip', 'x-forwarded-port'].map((name) => seen.headers[name]),
        ['app.example.com', '127.0.0.1', 'http', 'app.example.com', '127.0.0.1', '8080'],
      )
      const names = new Set(await Promise.all(Array.from({ length: 12 }, async () => (await ask('app.example.com', '/name')).body)))
      assert.deepEqual([...names].sort(), ['a', 'b'])
      assert.deepEqual(await ask('other.example.com').then(({ status, body }) => [status, body]), [404, 'default backend - 404'])
      const { stdout } = await run('curl', ['-sS', '-H', 'Host: app.example.com', 'http://10.244.0.1/name'])
      assert.match(stdout, /^[ab]$/)
      await eventually(
        'status',
        async () => (await client.get(Ingress, { namespace: 'shop', name: 'web' })).status?.loadBalancer?.ingress?.[0]?.ip === '127.0.0.1',
      )
      await eventually('event', async () => (await events('web')).some((event) => event.reason === 'Sync' && event.message === 'Scheduled for sync'))
      assert.ok(context.spans.some((span) => span.name === 'proxy configured' && span.about?.includes('shop/web')))
    })

    test('no endpoint: 503; endpoints come and go without nginx being told', async () => {
      await createService('late', [])
      await createIngress('late', { rules: [rule('late.example', '/', 'Prefix', 'late')] })
      await eventually('503', async () => (await ask('late.example')).status === 503)
      const config = readFileSync(join(stateDirectory, 'nginx.conf'), 'utf8')
      await setEndpoints('late', [endpoint(2)])
      await eventually('served', async () => (await ask('late.example', '/name')).body === 'c')
      await setEndpoints('late', [endpoint(0)])
      await eventually('moved', async () => (await ask('late.example', '/name')).body === 'a')
      assert.equal(readFileSync(join(stateDirectory, 'nginx.conf'), 'utf8'), config)
    })

    test('a bad one is told so and left out, whoever notices', async () => {
      await createIngress('unknown', { rules: [rule('unknown.example', '/', 'Prefix', 'nowhere')] })
      // JavaScript takes this pattern, nginx does not.
      await createIngress(
        'pattern',
        { rules: [rule('pattern.example', '/[^]x', 'ImplementationSpecific')] },
        { 'nginx.ingress.kubernetes.io/use-regex': 'true' },
      )
      await createIngress('good', { rules: [rule('good.example')] })
      await eventually('good', async () => (await ask('good.example')).status === 200)
      // A worker of the reload before may still answer for a moment.
      await eventually('503', async () => (await ask('unknown.example')).status === 503)
      await eventually('said', async () =>
        (await events('unknown')).some((event) => event.type === 'Warning' && event.message === 'service "shop/nowhere" does not exist'),
      )
      await eventually('said', async () => (await events('pattern')).some((event) => event.type === 'Warning' && event.message?.includes('pcre')))
      assert.equal((await ask('app.example.com')).status, 200)
    })

    test('rewrites, redirects, limits, web sockets', async () => {
      await createIngress(
        'rewrite',
        { rules: [rule('r.example', '/api(/|$)(.*)', 'ImplementationSpecific')] },
        { 'nginx.ingress.kubernetes.io/rewrite-target': '/$2' },
      )
      await createIngress(
        'limit',
        { rules: [rule('l.example')] },
        { 'nginx.ingress.kubernetes.io/proxy-body-size': '10', 'nginx.ingress.kubernetes.io/app-root': '/home' },
      )
      await createIngress('wild', { rules: [rule('*.w.example')] })
      const rewritten = await eventually('rewritten', async () => {
        const { status, body } = await ask('r.example', '/api/deep/er?q=1')
        return status === 200 ? (JSON.parse(body) as { url: string }) : undefined
      })
      assert.equal(rewritten.url, '/deep/er?q=1')
      assert.equal((await ask('r.example', '/other')).status, 404)
      const large = await eventually('limit', async () => {
        const answer = await ask('l.example', '/x', '-d', 'more than ten bytes')
        return answer.status === 413 ? answer : undefined
      })
      assert.equal(large.status, 413)
      assert.equal(
        (await ask('x.w.example', '/', '--data-binary', 'x'.repeat(100_000))).status,
        200,
        `a body that nginx keeps in a file: ${readFileSync(join(stateDirectory, 'error.log'), 'utf8')}`,
      )
      assert.match((await ask('l.example', '/')).headers, /302[\s\S]*Location: http:\/\/l.example\/home/i)
      assert.equal((await ask('x.w.example')).status, 200)
      assert.equal((await ask('x.y.w.example')).status, 404)
      const upgraded = JSON.parse((await ask('x.w.example', '/', '-H', 'Connection: Upgrade', '-H', 'Upgrade: websocket')).body) as {
        headers: Record<string, string>
      }
      assert.deepEqual([upgraded.headers.upgrade, upgraded.headers.connection], ['websocket', 'upgrade'])
    })

    test('TLS by a Secret, with a redirect; the fallback certificate for all others', async () => {
      const made = new Certificates('/run/made')
      await made.ensureFallback(Date.now())
      const pem = readFileSync(made.fallback, 'utf8')
      const split = pem.indexOf('-----BEGIN PRIVATE KEY')
      const data = (text: string) => Buffer.from(text).toString('base64')
      const secret = await client.create(Secret, {
        metadata: { name: 'cert', namespace: 'shop' },
        type: 'kubernetes.io/tls',
        data: { 'tls.crt': data(pem.slice(0, split)), 'tls.key': data(pem.slice(split)) },
      })
      await createIngress('tls', { tls: [{ hosts: ['s.example'], secretName: 'cert' }], rules: [rule('s.example')] })
      await eventually('redirected', async () => /308[\s\S]*Location: https:\/\/s.example:8443\/x/i.test((await ask('s.example', '/x')).headers))
      assert.equal((await ask('s.example', '/name', '--tls')).status, 200)
      const shown = async (name: string) =>
        (await run('sh', ['-c', `echo | openssl s_client -connect 127.0.0.1:8443 -servername ${name} 2>/dev/null | openssl x509 -noout -fingerprint`])).stdout
      const own = await shown('s.example')
      assert.notEqual(own, await shown('app.example.com'))
      assert.equal((await ask('app.example.com', '/name', '--tls')).status, 200)
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      await client.update(Secret, { ...secret, data: { ...secret.data, 'tls.key': data(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()) } })
      await eventually('said', async () => (await events('tls')).some((event) => event.message?.includes('the key does not belong to the certificate')))
      assert.equal((await ask('s.example', '/name', '--tls')).status, 200)
    })

    test('who has no password stays outside, and a changed one counts at once', async () => {
      const hash = async (password: string) => (await run('openssl', ['passwd', '-apr1', password])).stdout.trim()
      const secret = (users: string) => ({ metadata: { name: 'users', namespace: 'shop' }, data: { auth: Buffer.from(users).toString('base64') } })
      await createIngress('closed', { rules: [rule('closed.example')] }, annotated({ 'auth-type': 'basic', 'auth-secret': 'users', 'auth-realm': 'shop' }))
      await eventually('nobody without the Secret', async () => (await ask('closed.example')).status === 503)
      await eventually('event', async () => (await events('closed')).some(({ message }) => /secret "shop\/users": secret does not exist/.test(message ?? '')))
      await client.create(Secret, secret(`ann:${await hash('one')}\n`))
      const as = async (user: string) => (await ask('closed.example', '/name', '-u', user)).status
      await eventually('let in', async () => (await as('ann:one')) === 200)
      const refused = await ask('closed.example')
      assert.match(refused.headers, /^HTTP\/1.1 401[\s\S]*WWW-Authenticate: Basic realm="shop"/)
      assert.equal(await as('ann:two'), 401)
      const stored = await client.get(Secret, { namespace: 'shop', name: 'users' })
      await client.update(Secret, { ...stored, data: secret(`ann:${await hash('two')}\n`).data })
      await eventually('the new one', async () => (await as('ann:two')) === 200)
      await eventually('not the old one', async () => (await as('ann:one')) === 401)
      await eventually('the old ones are forgotten', () => readdirSync(join(stateDirectory, 'users')).length === 1)
    })

    test('browsers are told which pages may ask', async () => {
      await createIngress('open', { rules: [rule('open.example')] }, annotated({ 'enable-cors': 'true' }))
      const listed = { 'enable-cors': 'true', 'cors-allow-origin': 'https://a.example, https://*.b.example', 'cors-allow-methods': 'GET', 'cors-max-age': '60' }
      await createIngress('listed', { rules: [rule('listed.example')] }, annotated(listed))
      await eventually('served', async () => (await ask('listed.example')).status === 200 && (await ask('open.example')).status === 200)
      const told = async (host: string, origin: string, ...more: string[]) => {
        const { status, headers } = await ask(host, '/', '-H', `Origin: ${origin}`, ...more)
        return [status, ...[...headers.matchAll(/^Access-Control-(Allow-Origin|Allow-Credentials|Max-Age): (.*?)\r?$/gim)].map(([, , value]) => value)]
      }
      assert.deepEqual(await told('open.example', 'https://any.example'), [200, '*', 'true', '1728000'])
      assert.deepEqual(await told('listed.example', 'https://a.example'), [200, 'https://a.example', 'true', '60'])
      assert.deepEqual(await told('listed.example', 'https://x.b.example', '-X', 'OPTIONS'), [204, 'https://x.b.example', 'true', '60'])
      for (const origin of ['https://a.example.evil', 'https://x.y.b.example', 'http://a.example'])
        assert.deepEqual(await told('listed.example', origin), [200])
    })

    test('who asks too often is refused, and the others are not', async () => {
      await createIngress('limited', { rules: [rule('limited.example')] }, annotated({ 'limit-rpm': '1', 'limit-burst-multiplier': '3' }))
      await createIngress('spared', { rules: [rule('spared.example')] }, annotated({ 'limit-rpm': '1', 'limit-allowlist': '127.0.0.0/8' }))
      const answers = async (host: string) => {
        const found: number[] = []
        // A worker of the reload before may still answer for a moment, and knows neither.
        for (let turn = 0; found.length < 8 && turn < 200; turn++) found.push(...[(await ask(host, '/name')).status].filter((status) => status !== 404))
        return found
      }
      assert.deepEqual(await answers('limited.example'), [200, 200, 200, 200, 503, 503, 503, 503])
      assert.deepEqual(await answers('spared.example'), Array(8).fill(200))
    })

    test('a rollout under load loses no request, on connections that are kept open', async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 16 })
      const counts = { ok: 0, lost: [] as string[] }
      let going = true
      let onlyGet = false
      let posts = 0
      let posting = 0
      const one = (method: string) =>
        new Promise<void>((resolve) => {
          const sent = request({ agent, host: '127.0.0.1', port: 8080, path: '/name', method, headers: { host: 'app.example.com' } }, (response) => {
            if (response.statusCode === 200) counts.ok++
            else counts.lost.push(String(response.statusCode))
            response.resume().on('end', resolve)
          })
          sent.on('error', (error) => {
            counts.lost.push(String(error))
            resolve()
          })
          sent.end(method === 'POST' ? 'body' : undefined)
        })
      const pid = nginxPid()
      // Workers of the reload before would close the connections that they still get.
      await eventually('old workers are gone', () => childrenOf(pid).length === 2)
      const clients = Array.from({ length: 16 }, async (_, index) => {
        while (going) {
          if (index % 2 === 0 || onlyGet) await one('GET')
          else {
            posts++
            posting++
            await one('POST')
            posting--
          }
        }
      })
      for (let turn = 0; turn < 6; turn++) {
        const before = counts.ok
        await setEndpoints('web', [endpoint(turn % 3), endpoint((turn + 1) % 3)])
        await eventually('some more', () => counts.ok > before + 150)
      }
      // A pod that ends before the word of it has come round: its port is closed while it still stands in the list.
      await setEndpoints('web', [endpoint(0), endpoint(1), endpoint(2)])
      await eventually('all three', async () =>
        (await Promise.all(Array.from({ length: 9 }, () => ask('app.example.com', '/name')))).some(({ body }) => body === 'c'),
      )
      // Of what a closing socket had not accepted yet, only what is safe to repeat is asked of another.
      onlyGet = true
      const posted = posts
      await eventually('no POST is under way', () => posts === posted && posting === 0)
      await pods[2]?.stop('SIGTERM')
      const before = counts.ok
      await eventually('some more', () => counts.ok > before + 200)
      going = false
      await Promise.all(clients)
      agent.destroy()
      assert.deepEqual([counts.lost.slice(0, 3), nginxPid()], [[], pid])
      assert.ok(counts.ok > 1000, `${counts.ok}`)
    })

    test('a new controller takes over the nginx that runs; one that died is started again', async () => {
      const pid = nginxPid()
      // As after kill -9: the first one hears of nothing any more, and nobody told nginx to end.
      context.informers.stop()
      for (const beat of beats) beat.cancel()
      const again = componentContext(context.server)
      const workers = childrenOf(pid)
      forgotten.push(controller)
      controller = await start(again, { metrics: { host: '127.0.0.1', port: 10254 } })
      await setEndpoints('late', [endpoint(1)])
      await eventually('endpoints are led to anew', async () => (await ask('late.example', '/name')).body === 'b')
      assert.deepEqual(childrenOf(pid), workers, 'no reload')
      const page = async () => (await fetch('http://127.0.0.1:10254/metrics')).text()
      const late = { host: 'late.example', path: '/', namespace: 'shop', service: 'late' }
      const counted = async (name: string, labels: Labels = {}) => valueIn(await page(), `nginx_ingress_controller_${name}`, { ...late, ...labels })
      // Nothing else here asks like this.
      const put = { method: 'PUT', status: '200' }
      for (let i = 0; i < 3; i++) await ask('late.example', '/name', '-X', 'PUT')
      await eventually('requests are told', async () => (await counted('requests', put)) === 3)
      for (const histogram of ['request_duration_seconds', 'response_duration_seconds', 'connect_duration_seconds', 'request_size', 'response_size'])
        assert.equal(await counted(`${histogram}_count`, put), 3, histogram)
      assert.ok((await counted('response_size_sum', put)) > 3 * 50)
      await eventually('what was read is gone', async () => {
        await page()
        return statSync(join(stateDirectory, 'requests.log')).size === 0
      })
      const ingress = (await client.list(Ingress, {})).items.find(({ spec }) => spec?.rules?.[0]?.host === 'late.example')
      assert.equal(await counted('requests', { ...put, ingress: ingress?.metadata.name ?? '' }), 3)
      await client.delete(Ingress, { namespace: 'shop', name: ingress?.metadata.name ?? '' })
      await eventually('nothing is told of what is gone', async () => (await counted('requests')) === 0)
      await createIngress('after', { rules: [rule('after.example')] })
      await eventually('routed', async () => (await ask('after.example')).status === 200)
      await eventually('told', async () => {
        const told = parseStrictly(await (await fetch('http://127.0.0.1:10254/metrics')).text())
        const value = (name: string) => told.get(`nginx_ingress_controller_${name}`)?.samples[0]?.value ?? 0
        return value('config_last_reload_successful') === 1 && value('success') > 0 && value('nginx_process_requests_total') > 1
      })
      assert.equal((await fetch('http://127.0.0.1:10254/healthz')).status, 200)
      assert.equal(nginxPid(), pid)
      for (const child of [pid, ...childrenOf(pid)]) process.kill(child, 'SIGKILL')
      await eventually('started again', async () => nginxPid() !== pid && (await ask('after.example')).status === 200)
      again.informers.stop()
    })
  },
  { listen: [8080] },
)

function cmdline(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return ''
  }
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}
