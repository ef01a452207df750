/** Deployments, StatefulSets, DaemonSets, Jobs and disruption budgets as a user meets them. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { V1CronJob, V1DaemonSet, V1Deployment, V1Job, V1PodList, V1ReplicaSetList } from '../../src/machinery/schema/generated/types.ts'
import { busybox, eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import { type Objects, objectsOf } from '../tools/objects.ts'
import { forever } from '../tools/pod-manifest.ts'

const template = (app: string, command = forever, more = '') => `
  template:
    metadata: { labels: { app: ${app} } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: main
          image: ${busybox}
          command: [sh, -c, ${JSON.stringify(command)}]
${more.replace(/^/gm, '          ')}`
const deployment = (name: string, spec: string, command?: string, more?: string) => `
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  selector: { matchLabels: { app: ${name} } }
${spec.replace(/^/gm, '  ')}${template(name, command, more)}
`
const job = (name: string, spec: string, script: string, restartPolicy = 'Never') => `
---
apiVersion: batch/v1
kind: Job
metadata: { name: ${name} }
spec:
  template: { spec: { restartPolicy: ${restartPolicy}, terminationGracePeriodSeconds: 1, containers: [{ name: main, image: "${busybox}", command: [sh, -c, ${JSON.stringify(script)}] }] } }
${spec.replace(/^/gm, '  ')}
`

const manifests = [
  deployment('recreated', 'replicas: 2\nstrategy: { type: Recreate }'),
  deployment('stuck', 'replicas: 2\nprogressDeadlineSeconds: 3', forever),
  deployment('paused', 'replicas: 1'),
  deployment('budgeted', 'replicas: 2'),
  `
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: budgeted }
spec: { minAvailable: 2, selector: { matchLabels: { app: budgeted } } }
---
apiVersion: v1
kind: Service
metadata: { name: db }
spec: { clusterIP: None, selector: { app: db }, ports: [{ name: sql, port: 8080 }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  replicas: 3
  selector: { matchLabels: { app: db } }${template(
    'db',
    `test -f /data/index.html || hostname > /data/index.html; httpd -p 8080 -h /data; ${forever}`,
    'volumeMounts: [{ name: data, mountPath: /data }]\nreadinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 }',
  )}
  volumeClaimTemplates:
    - metadata: { name: data }
      spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Mi } } }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: each-node }
spec:
  selector: { matchLabels: { app: each-node } }${template('each-node')}
`,
  job('many', 'completions: 4\nparallelism: 2', 'sleep 0.5'),
  job('indexed', 'completions: 3\nparallelism: 3\ncompletionMode: Indexed', 'echo index $JOB_COMPLETION_INDEX of $(hostname)'),
  job('hopeless', 'backoffLimit: 1', 'exit 5'),
  job('late', 'activeDeadlineSeconds: 2', 'sleep 100'),
  job('swept', 'ttlSecondsAfterFinished: 1', 'true'),
  `
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: nightly }
spec:
  schedule: "0 3 * * *"
  jobTemplate: { spec: { template: { spec: { restartPolicy: Never, containers: [{ name: main, image: "${busybox}", command: ["true"] }] } } } }
`,
].join('')

describe('controllers', { timeout: 120_000 }, () => {
  let cluster: TestCluster
  let on: Objects
  before(async () => {
    cluster = await startTestCluster()
    on = objectsOf(cluster)
    await on.apply(manifests)
  })
  after(() => cluster?.remove())
  const pods = async (app: string) => (await on.get<V1PodList>('pods', '-l', `app=${app}`)).items
  const rolledOut = (what: string) => cluster.kubectl(`rollout status ${what} --timeout=30s`, { timeoutMs: 35_000 })
  const condition = async (name: string, type: string) => (await on.get<V1Deployment>('deployment', name)).status?.conditions?.find((one) => one.type === type)

  it('ends all old pods before a new one starts when a Deployment is recreated', async () => {
    await rolledOut('deployment/recreated')
    const old = (await pods('recreated')).map((pod) => pod.metadata.name)
    await cluster.kubectl('set env deployment/recreated A=b')
    let mixed = 0
    await eventually('new pods run', async () => {
      const all = await pods('recreated')
      const now = all.map((pod) => pod.metadata.name)
      const oldRun = all.some(({ metadata, status }) => old.includes(metadata.name) && status?.phase === 'Running')
      if (oldRun && now.some((name) => !old.includes(name))) mixed++
      return now.length === 2 && !now.some((name) => old.includes(name))
    })
    assert.equal(mixed, 0)
    await rolledOut('deployment/recreated')
  })

  it('says when a rollout makes no progress, keeps the old pods, and goes back', async () => {
    await rolledOut('deployment/stuck')
    const before = (await pods('stuck')).map((pod) => pod.metadata.name).sort()
    await cluster.kubectl('set image deployment/stuck main=not.here.invalid/x:1')
    const { code, stderr } = await cluster.kubectl.run(['rollout', 'status', 'deployment/stuck', '--timeout=30s'], { timeoutMs: 35_000 })
    assert.equal(code, 1)
    assert.match(stderr, /deployment "stuck" exceeded its progress deadline/)
    const progressing = await condition('stuck', 'Progressing')
    assert.equal(progressing?.reason, 'ProgressDeadlineExceeded')
    assert.match(progressing?.message ?? '', /^ReplicaSet "stuck-\w+" has timed out progressing\.$/)
    assert.equal((await condition('stuck', 'Available'))?.status, 'True')
    await cluster.kubectl('rollout undo deployment/stuck')
    await rolledOut('deployment/stuck')
    assert.deepEqual((await pods('stuck')).filter((pod) => before.includes(pod.metadata.name ?? '')).length > 0, true)
    assert.match(await cluster.kubectl('rollout history deployment/stuck'), /REVISION\s+CHANGE-CAUSE\n2\s+<none>\n3\s+<none>\n/)
  })

  it('changes nothing while it is paused, and all at once when it goes on', async () => {
    await rolledOut('deployment/paused')
    await cluster.kubectl('rollout pause deployment/paused')
    await cluster.kubectl('set env deployment/paused A=1')
    await cluster.kubectl('set env deployment/paused B=2')
    assert.equal((await condition('paused', 'Progressing'))?.reason, 'DeploymentPaused')
    assert.equal((await on.get<V1ReplicaSetList>('replicasets', '-l', 'app=paused')).items.length, 1)
    await cluster.kubectl('scale deployment/paused --replicas=2')
    await eventually('it is scaled though', async () => (await pods('paused')).length === 2)
    await cluster.kubectl('rollout resume deployment/paused')
    await rolledOut('deployment/paused')
    assert.equal((await on.get<V1ReplicaSetList>('replicasets', '-l', 'app=paused')).items.length, 2)
  })

  it('evicts no pod beyond its disruption budget', async () => {
    await rolledOut('deployment/budgeted')
    await eventually('the budget is computed', async () => (await cluster.kubectl('get pdb budgeted -o jsonpath={.status.currentHealthy}')) === '2')
    const [pod] = await pods('budgeted')
    const evict = () =>
      cluster.kubectl.run(['create', '--raw', `/api/v1/namespaces/default/pods/${pod?.metadata.name}/eviction`, '-f', '-'], {
        stdin: JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod?.metadata.name } }),
      })
    assert.match((await evict()).stderr, /Cannot evict pod as it would violate the pod's disruption budget/)
    await cluster.kubectl('scale deployment/budgeted --replicas=3')
    await eventually('one may go', async () => (await cluster.kubectl('get pdb budgeted -o jsonpath={.status.disruptionsAllowed}')) === '1')
    assert.equal((await evict()).code, 0)
    await eventually('it is gone, and another one came', async () => {
      const now = await pods('budgeted')
      return now.length === 3 && !now.some((one) => one.metadata.name === pod?.metadata.name)
    })
  })

  it('gives each pod of a StatefulSet its name, its address and its volume', async () => {
    await rolledOut('statefulset/db')
    const all = await pods('db')
    assert.deepEqual(
      all.map((pod) => pod.metadata.name),
      ['db-0', 'db-1', 'db-2'],
    )
    const created = all.map((pod) => pod.metadata.creationTimestamp ?? '')
    assert.deepEqual(created, [...created].sort())
    assert.match(await cluster.kubectl('get pvc -o name'), /data-db-0\n.*data-db-1\n.*data-db-2\n/)
    for (const name of ['db-1.db', 'db-2.db.default.svc.cluster.local'])
      assert.equal(await on.sh('db-0', `wget -qO- http://${name}:8080/`), `${name.slice(0, 4)}\n`)
    assert.equal(await on.sh('db-1', 'hostname -f'), 'db-1.db.default.svc.cluster.local\n')
    await on.sh('db-1', 'echo kept > /data/index.html')
    const uid = (await on.pod('db-1')).metadata.uid
    await cluster.kubectl('delete pod db-1')
    await on.podUntil('db-1', 'is there again', (pod) => pod.metadata.uid !== uid && pod.status?.containerStatuses?.[0]?.ready)
    assert.equal(await eventually('its name leads to the new one', () => on.sh('db-0', 'timeout 2 wget -qO- http://db-1.db:8080/')), 'kept\n')
    await cluster.kubectl('scale statefulset/db --replicas=1')
    await eventually('the last ones are gone', async () => (await pods('db')).length === 1)
    assert.match(await cluster.kubectl('get pvc -o name'), /data-db-2/)
    await cluster.kubectl('set env statefulset/db A=b')
    await rolledOut('statefulset/db')
    assert.equal(await on.sh('db-0', 'cat /data/index.html; echo $A'), 'db-0\nb\n')
  })

  it('runs a DaemonSet on the node, and updates it', async () => {
    await rolledOut('daemonset/each-node')
    const { status } = await on.get<V1DaemonSet>('daemonset', 'each-node')
    assert.equal(status?.numberReady, 1)
    await cluster.kubectl('set env daemonset/each-node A=b')
    await rolledOut('daemonset/each-node')
    const [pod] = await pods('each-node')
    assert.equal(pod?.spec.containers[0]?.env?.[0]?.value, 'b')
  })

  it('runs Jobs to their completions, so many at a time, and gives up as told', async () => {
    await cluster.kubectl('wait --for=condition=Complete job/many job/indexed --timeout=40s', { timeoutMs: 45_000 })
    const many = await on.get<V1Job>('job', 'many')
    assert.equal(many.status?.succeeded, 4)
    assert.match(await cluster.kubectl('get job many --no-headers'), /many\s+Complete\s+4\/4/)
    const indexed = await on.get<V1Job>('job', 'indexed')
    assert.equal(indexed.status?.completedIndexes, '0-2')
    assert.match(await cluster.kubectl('logs -l job-name=indexed,batch.kubernetes.io/job-completion-index=1'), /^index 1 of indexed-1$/m)
    await cluster.kubectl('wait --for=condition=Failed job/hopeless job/late --timeout=40s', { timeoutMs: 45_000 })
    const hopeless = await on.get<V1Job>('job', 'hopeless')
    assert.equal(hopeless.status?.conditions?.find(({ type }) => type === 'Failed')?.reason, 'BackoffLimitExceeded')
    assert.equal(hopeless.status?.failed, 2)
    await on.event('Job', 'hopeless', /^Warning BackoffLimitExceeded Job has reached the specified backoff limit$/)
    const late = await on.get<V1Job>('job', 'late')
    assert.equal(late.status?.conditions?.find(({ type }) => type === 'Failed')?.reason, 'DeadlineExceeded')
    await eventually('the finished Job is swept', async () => !(await cluster.kubectl('get jobs -o name')).includes('/swept'))
    const cron = await on.get<V1CronJob>('cronjob', 'nightly')
    assert.equal(cron.spec.schedule, '0 3 * * *')
    await cluster.kubectl('create job by-hand --from=cronjob/nightly')
    await cluster.kubectl('wait --for=condition=Complete job/by-hand --timeout=20s', { timeoutMs: 25_000 })
  })

  it('removes what belongs to what is deleted, or leaves it, as asked', async () => {
    await cluster.kubectl('delete deployment paused --cascade=orphan')
    assert.equal((await on.get<V1ReplicaSetList>('replicasets', '-l', 'app=paused')).items.length, 2)
    assert.equal((await pods('paused')).length, 2)
    await cluster.kubectl('delete deployment recreated --cascade=foreground')
    assert.equal((await on.get<V1ReplicaSetList>('replicasets', '-l', 'app=recreated')).items.length, 0)
    assert.equal((await pods('recreated')).length, 0)
    await cluster.kubectl('delete deployment budgeted')
    await eventually('its pods are gone', async () => (await pods('budgeted')).length === 0)
  })

  it('removes a namespace with everything in it', async () => {
    await cluster.kubectl('create namespace full')
    const inside = objectsOf(cluster, 'full')
    await inside.apply(
      `${deployment('web', 'replicas: 2', `trap "sleep 2; exit 0" TERM; while true; do sleep 0.1; done`).replace('terminationGracePeriodSeconds: 1', 'terminationGracePeriodSeconds: 5')}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: claim }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Mi } } }
---
apiVersion: v1
kind: Pod
metadata: { name: user }
spec:
  terminationGracePeriodSeconds: 1
  containers: [{ name: main, image: "${busybox}", command: [sh, -c, '${forever}'], volumeMounts: [{ name: data, mountPath: /data }] }]
  volumes: [{ name: data, persistentVolumeClaim: { claimName: claim } }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Secret
metadata: { name: kept, finalizers: [example.com/hold] }
`,
    )
    await inside.podUntil('user', 'runs', (pod) => pod.status?.phase === 'Running')
    await cluster.kubectl('delete namespace full --wait=false')
    await eventually('only what is held is left', async () =>
      /NamespaceFinalizersRemaining[^}]*Some content in the namespace has finalizers remaining: example.com\/hold in 1 resource instances|Some content in the namespace has finalizers remaining: example.com\/hold in 1 resource instances/.test(
        await cluster.kubectl('get namespace full -o json'),
      ),
    )
    const { code, stderr } = await cluster.kubectl.run(['-n', 'full', 'create', 'configmap', 'late'])
    assert.equal(code, 1)
    assert.match(stderr, /configmaps "late" is forbidden: unable to create new content in namespace full because it is being terminated/)
    await eventually('the pods are gone', async () => (await cluster.kubectl('-n full get pods -o name')) === '')
    await cluster.kubectl('-n full patch secret kept --type=merge -p {"metadata":{"finalizers":null}}')
    await eventually('the namespace is gone', async () => !(await cluster.kubectl('get namespaces -o name')).includes('/full'))
    await eventually('its volume too', async () => !(await cluster.kubectl('get pv -o json')).includes('"full"'))
  })
})
