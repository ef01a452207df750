import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { WebSocket } from 'ws'
import { issueCertificate } from '../../cluster/pki/certificate-authority.ts'
import { ensurePki, type Pki } from '../../cluster/pki/pki.ts'
import { MetricRegistry } from '../../machinery/metrics/registry.ts'
import { valueIn } from '../../machinery/metrics/testing/read-metrics.ts'
import { parseStrictly } from '../../machinery/metrics/testing/strict-parser.ts'
import { realClock } from '../../machinery/real-clock.ts'
import { NodeBench, nodeName } from '../testing/node-bench.ts'
import { readContainerLog } from './container-log.ts'

const line = (second: number, text: string, { stream = 'stdout', tag = 'F' } = {}) =>
  `2026-01-01T00:00:${String(second).padStart(2, '0')}.000000000Z ${stream} ${tag} ${text}\n`

describe('logs in CRI form', () => {
  let directory: string
  let path: string
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'skiff-logs-'))
    path = join(directory, '0.log')
    writeFileSync(path, [line(1, 'one'), line(2, 'two', { stream: 'stderr' }), line(3, 'part ', { tag: 'P' }), line(3, 'whole'), line(4, 'four')].join(''))
  })
  after(() => rmSync(directory, { recursive: true }))

  const read = async (options: object, isRunning: () => Promise<boolean> = async () => false) => {
    const chunks: Buffer[] = []
    const signal = new AbortController().signal
    for await (const chunk of readContainerLog(path, { follow: false, timestamps: false, ...options }, { clock: realClock, isRunning, signal }))
      chunks.push(chunk)
    return Buffer.concat(chunks).toString()
  }

  it('all, parts joined', async () => assert.equal(await read({}), 'one\ntwo\npart whole\nfour\n'))
  it('with timestamps', async () => assert.match(await read({ timestamps: true }), /^2026-01-01T00:00:01\.000000000Z one\n/))
  it('the last lines', async () => {
    assert.equal(await read({ tailLines: 1 }), 'four\n')
    assert.equal(await read({ tailLines: 0 }), '')
    assert.equal(await read({ tailLines: 100 }), 'one\ntwo\npart whole\nfour\n')
  })
  it('since a time, of one stream, up to a size', async () => {
    assert.equal(await read({ since: Date.parse('2026-01-01T00:00:04Z') }), 'four\n')
    assert.equal(await read({ stream: 'stderr' }), 'two\n')
    assert.equal(await read({ limitBytes: 6 }), 'one\ntw')
  })
  it('follows through a rotation until the container ends', async () => {
    let running = true
    const signal = new AbortController().signal
    const log = readContainerLog(path, { follow: true, timestamps: false, tailLines: 1 }, { clock: realClock, isRunning: async () => running, signal })
    const lines: string[] = []
    const first = await log.next()
    lines.push(String(first.value))
    appendFileSync(path, line(5, 'five'))
    renameSync(path, `${path}.1`)
    appendFileSync(`${path}.1`, line(6, 'six'))
    writeFileSync(path, line(7, 'seven'))
    for await (const chunk of log) {
      lines.push(String(chunk))
      if (!String(chunk).includes('seven')) continue
      appendFileSync(path, line(8, 'eight'))
      running = false
    }
    assert.equal(lines.join(''), 'four\nfive\nsix\nseven\neight\n')
  })
})

describe('the server', () => {
  let bench: NodeBench
  let pki: Pki
  let directory: string
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'skiff-kubelet-server-'))
    pki = await ensurePki(join(directory, 'pki'), { clock: realClock })
    const serving = await pki.kubeletServing(nodeName, ['127.0.0.1'])
    bench = await NodeBench.start({
      directory,
      metrics: new MetricRegistry(),
      lives: {
        main: { output: [{ line: 'hello' }], usage: { milliCores: 100, memoryBytes: 1000 }, command: (words) => ({ exitCode: 4, stdout: words.join(' ') }) },
        crash: { runMs: 10, exitCode: 1, output: [{ line: 'last words' }] },
      },
      kubelet: { server: { host: '127.0.0.1', tls: { key: serving.key, cert: serving.certificate, clientCA: pki.ca.certificate } } },
    })
    await bench.createPod('web', { volumes: [{ name: 'scratch', emptyDir: {} }] })
    await bench.untilReady('web')
  })
  after(async () => {
    await bench.stop()
    rmSync(directory, { recursive: true })
  })

  const get = (path: string, certificate: { key: string; certificate: string } | undefined = pki.kubeletClient): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      const credentials = certificate ? { key: certificate.key, cert: certificate.certificate } : {}
      const sent = request({ host: '127.0.0.1', port: bench.kubelet.port(), path, ca: pki.ca.certificate, agent: false, ...credentials }, (answer) => {
        answer.toArray().then((chunks) => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }), reject)
      })
      sent.on('error', reject)
      sent.end()
    })

  it('answers the API server', async () => {
    assert.deepEqual(await get('/healthz'), { status: 200, body: 'ok' })
    assert.deepEqual(await get('/containerLogs/default/web/main'), { status: 200, body: 'hello\n' })
    const pods = JSON.parse((await get('/pods')).body) as { items: { metadata: { name: string }; status: { phase: string } }[] }
    assert.deepEqual(
      pods.items.map(({ metadata, status }) => [metadata.name, status.phase]),
      [['web', 'Running']],
    )
  })

  it('shows a renewed certificate to connections from then on', async () => {
    const { certificate, key } = await issueCertificate(pki.ca, { commonName: 'renewed', usages: ['server'], addresses: ['127.0.0.1'] }, Date.now())
    bench.kubelet.renewServing(certificate, key)
    const shown = await new Promise<string>((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port: bench.kubelet.port(), path: '/healthz', ca: pki.ca.certificate, agent: false }, (answer) => {
        answer.resume()
        resolve(String((answer.socket as TLSSocket).getPeerCertificate().subject.CN))
      })
      sent.on('error', reject)
      sent.end()
    })
    assert.equal(shown, 'renewed')
    const left = new X509Certificate(certificate).validToDate.getTime() - bench.clock.now()
    const metrics = (await get('/metrics')).body
    assert.equal(valueIn(metrics, 'kubelet_certificate_manager_server_ttl_seconds'), Math.round(left / 1000))
    assert.equal(valueIn(metrics, 'kubelet_certificate_manager_client_ttl_seconds'), Number.POSITIVE_INFINITY)
    assert.equal(valueIn(metrics, 'kubelet_server_expiration_renew_errors'), 0)
    bench.kubelet.certificates?.notRenewed('server')
    assert.equal(valueIn((await get('/metrics')).body, 'kubelet_server_expiration_renew_errors'), 1)
    assert.deepEqual(await get('/healthz'), { status: 200, body: 'ok' })
  })

  it('tells why there is no log', async () => {
    assert.deepEqual(await get('/containerLogs/default/none/main'), { status: 404, body: 'pod "none" not found' })
    assert.deepEqual(await get('/containerLogs/default/web/main?previous=true'), {
      status: 400,
      body: 'previous terminated container "main" in pod "web" not found',
    })
    await bench.createPod('crash', { containers: [{ name: 'crash' }] })
    await bench.untilPod('crash', 'is in backoff', (pod) => pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff')
    assert.deepEqual(await get('/containerLogs/default/crash/crash?previous=true'), { status: 200, body: 'last words\n' })
  })

  it('measures', async () => {
    const page = async (path: string) => parseStrictly((await get(path)).body)
    const labels = { container: 'main', namespace: 'default', pod: 'web' }
    const resource = await page('/metrics/resource')
    const memory = resource.get('container_memory_working_set_bytes')?.samples.find((one) => one.labels.pod === 'web')
    assert.deepEqual([memory?.labels, memory?.value, (memory?.at ?? 0) > 1e12], [labels, 1000, true])
    assert.ok(!resource.has('node_swap_usage_bytes'), 'what is not measured is absent')
    const cadvisor = (await page('/metrics/cadvisor')).get('container_memory_usage_bytes')?.samples ?? []
    assert.deepEqual(
      cadvisor.filter((one) => one.labels.pod === 'web').map((one) => [one.labels.container, one.value]),
      [
        ['main', 1000],
        ['', 1000],
      ],
    )
    const machine = (await page('/metrics/cadvisor')).get('machine_memory_bytes')?.samples[0]
    assert.deepEqual([machine?.value, Object.keys(machine?.labels ?? {})], [4 * 2 ** 30, ['boot_id', 'machine_id', 'system_uuid']])
    const summary = JSON.parse((await get('/stats/summary')).body) as {
      node: { systemContainers: { name: string }[]; memory: { availableBytes: number; workingSetBytes: number } }
      pods: { podRef: { name: string }; memory: { usageBytes: number }; 'ephemeral-storage': { usedBytes: number } }[]
    }
    const web = summary.pods.find(({ podRef }) => podRef.name === 'web')
    assert.equal(web?.memory.usageBytes, 1000)
    assert.equal(typeof web?.['ephemeral-storage'].usedBytes, 'number')
    const { availableBytes, workingSetBytes } = summary.node.memory
    assert.equal(availableBytes, 4 * 2 ** 30 - workingSetBytes, 'of what the node has, as eviction counts it')
    assert.ok(summary.node.systemContainers.some(({ name }) => name === 'pods'))
    const own = await page('/metrics')
    assert.equal(own.get('kubelet_running_pods')?.samples[0]?.value, 2)
    assert.ok(own.get('kubelet_http_requests_total')?.samples.some((one) => one.labels.path === 'containerLogs'))
    const { body } = await get('/metrics')
    assert.ok(valueIn(body, 'kubelet_http_requests_duration_seconds_count', { path: 'containerLogs', method: 'GET' }) > 0)
    assert.equal(valueIn(body, 'kubelet_http_inflight_requests', { path: 'metrics' }), 1)
    for (const state of ['actual_state_of_world', 'desired_state_of_world'])
      assert.equal(valueIn(body, 'volume_manager_total_volumes', { plugin_name: 'kubernetes.io/empty-dir', state }), 1)
    assert.ok(valueIn(body, 'storage_operation_duration_seconds_count', { volume_plugin: 'kubernetes.io/empty-dir', status: 'success' }) > 0)
    assert.equal((await get('/metrics/none')).status, 404)
  })

  it('runs commands over an upgraded connection', async () => {
    const { key, certificate } = pki.kubeletClient
    const url = `wss://127.0.0.1:${bench.kubelet.port()}/exec/default/web/main?command=say&command=it&output=1&error=1`
    const socket = new WebSocket(url, ['v4.channel.k8s.io'], { ca: pki.ca.certificate, key, cert: certificate })
    const channels = new Map<number, string>()
    socket.on('message', (data: Buffer) => channels.set(data[0] ?? -1, (channels.get(data[0] ?? -1) ?? '') + data.subarray(1).toString()))
    await once(socket, 'close')
    assert.equal(channels.get(1), 'say it')
    assert.match(channels.get(3) ?? '', /"exitCode"|ExitCode/)
    assert.match(channels.get(3) ?? '', /"message":"4"/)
  })

  it('answers nobody else', async () => {
    const answer = await new Promise<number>((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port: bench.kubelet.port(), path: '/pods', ca: pki.ca.certificate, agent: false }, (response) =>
        resolve(response.statusCode ?? 0),
      )
      sent.on('error', reject)
      sent.end()
    })
    assert.equal(answer, 401)
  })
})
