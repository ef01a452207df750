/** What outlives a cluster that is stopped and started again: data, objects, addresses of Services. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { eventually, skiff, startTestCluster, type TestCluster, upWords } from '../tools/cluster.ts'
import { conditionOf, containerOf, type Objects, objectsOf } from '../tools/objects.ts'
import { forever, podOf } from '../tools/pod-manifest.ts'

const run = promisify(execFile)
const manifests = `${podOf('writer', `echo started >> /data/starts; echo started >> /scratch/starts; ${forever}`, {
  container: 'volumeMounts: [{ name: data, mountPath: /data }, { name: scratch, mountPath: /scratch }]',
  spec: 'volumes: [{ name: data, persistentVolumeClaim: { claimName: data } }, { name: scratch, emptyDir: {} }]',
})}${podOf('done', 'echo done', { spec: 'restartPolicy: Never' })}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Mi } } }
---
apiVersion: v1
kind: Service
metadata: { name: kept }
spec: { selector: { app: writer }, ports: [{ port: 80 }] }
`

describe('a cluster that is stopped and started again', { timeout: 90_000 }, () => {
  let cluster: TestCluster
  let on: Objects
  let before_: { uid: string | undefined; address: string; volume: string }
  const identity = async () => ({
    uid: (await on.pod('writer')).metadata.uid,
    address: await cluster.kubectl('get service kept -o jsonpath={.spec.clusterIP}'),
    volume: await cluster.kubectl('get pvc data -o jsonpath={.spec.volumeName}'),
  })
  before(async () => {
    cluster = await startTestCluster()
    on = objectsOf(cluster)
    await on.apply(manifests)
    await on.podUntil('writer', 'is ready', (pod) => conditionOf(pod, 'Ready') === 'True')
    await on.podUntil('done', 'is done', (pod) => pod.status?.phase === 'Succeeded')
    before_ = await identity()
    await cluster.skiff('down', '--data-dir', cluster.dataDir)
    await run(skiff, upWords(cluster.dataDir))
  })
  after(() => cluster?.remove())

  it('has its pods run again over their data', async () => {
    await on.podUntil('writer', 'is ready', (pod) => conditionOf(pod, 'Ready') === 'True' && (containerOf(pod)?.restartCount ?? 0) === 1)
    assert.equal(await eventually('exec works', () => on.sh('writer', 'cat /data/starts')), 'started\nstarted\n')
    assert.equal(await on.sh('writer', 'cat /scratch/starts'), 'started\nstarted\n')
    assert.deepEqual(await identity(), before_)
  })

  it('runs nothing again that was done, and still has its log', async () => {
    const pod = await on.pod('done')
    assert.equal(pod.status?.phase, 'Succeeded')
    assert.equal(containerOf(pod)?.restartCount, 0)
    assert.equal(await eventually('the log is there', () => cluster.kubectl('logs done')), 'done\n')
  })

  it('starts pods quickly', async (context) => {
    const times: number[] = []
    for (let round = 0; round < 5; round++) {
      const name = `quick-${round}`
      const start = performance.now()
      await on.apply(podOf(name, forever))
      await cluster.kubectl(`wait --for=condition=Ready pod/${name} --timeout=20s`, { timeoutMs: 25_000 })
      times.push(Math.round(performance.now() - start))
    }
    context.diagnostic(`from kubectl apply to kubectl wait's answer, ms: ${times.join(' ')}`)
    assert.ok(Math.min(...times) < 3000, times.join(' '))
  })
})
