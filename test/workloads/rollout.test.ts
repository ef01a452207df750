/** A Deployment is replaced under load: through a Service and through an Ingress, on kept connections and new ones. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { busybox, eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import { nodeMounts, nodeProgram, nodeVolumes } from '../tools/host-node.ts'
import { type Objects, objectsOf } from '../tools/objects.ts'
import { forever, podOf } from '../tools/pod-manifest.ts'

const manifests = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 3
  strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 10
      containers:
        - name: web
          image: ${busybox}
          command: [${nodeProgram}, /scripts/web-app.cjs]
          env: [{ name: VERSION, value: one }]
          ports: [{ name: web, containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /, port: web }, periodSeconds: 1 }
          lifecycle: { preStop: { sleep: { seconds: 1 } } }
          volumeMounts: [${nodeMounts}, { name: scripts, mountPath: /scripts }]
      volumes: [${nodeVolumes}, { name: scripts, configMap: { name: scripts } }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: web }] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec:
  rules: [{ host: web.example.com, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] } }]
${podOf('load', forever, { container: `volumeMounts: [${nodeMounts}, { name: scripts, mountPath: /scripts }]`, spec: `volumes: [${nodeVolumes}, { name: scripts, configMap: { name: scripts } }]` })}
`

interface LoadResult {
  requests: number
  answers: Record<string, number>
  failed: number
  failures: string[]
}

describe('a rollout under load', { timeout: 120_000 }, () => {
  let cluster: TestCluster
  let on: Objects
  let ingress: string
  before(async () => {
    cluster = await startTestCluster()
    on = objectsOf(cluster)
    const here = import.meta.dirname
    await cluster.kubectl(`create configmap scripts --from-file=${here}/web-app.cjs --from-file=${here}/http-load.cjs`)
    await on.apply(manifests)
    await cluster.kubectl('rollout status deployment/web --timeout=40s', { timeoutMs: 45_000 })
    await cluster.kubectl('wait --for=condition=Ready pod/load')
    ingress = `http://127.0.0.1:${cluster.running()?.httpPort}/`
    await eventually('the Ingress answers', async () => (await fetchHost(ingress)) === 'one')
  })
  after(() => cluster?.remove())

  const fetchHost = (url: string) =>
    new Promise<string>((resolve, reject) => {
      const child = spawn('curl', ['-s', '-H', 'Host: web.example.com', url])
      let text = ''
      child.stdout.on('data', (chunk) => {
        text += chunk
      })
      child.on('error', reject)
      child.on('close', () => resolve(text))
    })

  /** Starts asking; the answer ends it and says what was got. */
  function load(where: 'service' | 'ingress', mode: 'keep-alive' | 'close'): () => Promise<LoadResult> {
    const child =
      where === 'service'
        ? cluster.kubectl.start(['exec', '-i', 'load', '--', nodeProgram, '/scripts/http-load.cjs', 'http://web/', '4', mode])
        : spawn(process.execPath, [join(import.meta.dirname, 'http-load.cjs'), ingress, '4', mode, 'web.example.com'])
    let text = ''
    let errors = ''
    child.stdout.on('data', (chunk) => {
      text += chunk
    })
    child.stderr.on('data', (chunk) => {
      errors += chunk
    })
    return () => {
      const result = new Promise<LoadResult>((resolve, reject) => {
        child.on('close', () => {
          try {
            resolve(JSON.parse(text) as LoadResult)
          } catch {
            reject(new Error(`${where} ${mode}: ${text}${errors}`))
          }
        })
      })
      child.stdin.write('end\n')
      return result
    }
  }

  async function underLoad(work: () => Promise<unknown>, context: { diagnostic(message: string): void }) {
    const ways = (['service', 'ingress'] as const).flatMap((where) =>
      (['keep-alive', 'close'] as const).map((mode) => ({ where, mode, end: load(where, mode) })),
    )
    const results: LoadResult[] = []
    try {
      await work()
    } finally {
      results.push(...(await Promise.all(ways.map(({ end }) => end()))))
    }
    const told = ways.map(({ where, mode }, index) => `${where}, ${mode}: ${JSON.stringify(results[index])}`).join('\n')
    context.diagnostic(told)
    for (const { requests, failed } of results) {
      assert.equal(failed, 0, told)
      assert.ok(requests > 20, told)
    }
  }
  const rolledOut = () => cluster.kubectl('rollout status deployment/web --timeout=50s', { timeoutMs: 55_000 })

  it('loses no request when the pods are replaced', async (context) => {
    await underLoad(async () => {
      await cluster.kubectl('set env deployment/web VERSION=two')
      await rolledOut()
    }, context)
    // The rollout is over a moment before the proxies have heard of the last endpoint.
    await eventually('the new version alone answers', async () => (await fetchHost(ingress)) === 'two')
  })

  it('loses none when it is rolled back, scaled down and up', async (context) => {
    await underLoad(async () => {
      await cluster.kubectl('rollout undo deployment/web')
      await rolledOut()
      await cluster.kubectl('scale deployment/web --replicas=1')
      await eventually('one pod is left', async () => (await cluster.kubectl('get pods -l app=web -o name')).trim().split('\n').length === 1)
      await cluster.kubectl('scale deployment/web --replicas=3')
      await rolledOut()
    }, context)
  })
})
