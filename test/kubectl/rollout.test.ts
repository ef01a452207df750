/** Workloads by kubectl: rollouts, their history and their undoing; scaling, exposing, setting. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import type { Kubectl } from '../tools/kubectl.ts'

const sleeper = (name: string, replicas: number, more = '') => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{ name: main, image: "busybox:1.35", command: [sleep, "1000"], ports: [{ containerPort: 8080, name: http }] }]
${more}---
`

let cluster: TestCluster
let admin: Kubectl
before(async () => {
  cluster = await startTestCluster()
  admin = cluster.kubectl
  await admin('create namespace team')
  await admin('config set-context --current --namespace=team')
})
after(() => cluster?.remove())

const env = "get deployment web -o 'jsonpath={.spec.template.spec.containers[0].env[*].value}'"

describe('kubectl rollout', () => {
  it('waits until it is done', async () => {
    await admin('apply -f -', { stdin: sleeper('web', 2) })
    assert.match(await admin('rollout status deployment/web'), /deployment "web" successfully rolled out\n$/)
    assert.match(await admin('rollout status deployment/web --revision=1'), /successfully rolled out/)
  })

  it('keeps a history, and goes back in it', async () => {
    await admin('annotate deployment web kubernetes.io/change-cause=first')
    assert.equal(await admin('set env deployment/web A=1'), 'deployment.apps/web env updated\n')
    await admin('annotate deployment web kubernetes.io/change-cause=second')
    await admin('rollout status deployment/web')
    assert.equal(await admin('set env deployment/web A=2'), 'deployment.apps/web env updated\n')
    assert.match(await admin('rollout status deployment/web'), /Waiting for deployment "web" rollout to finish|successfully rolled out/)
    await eventually('the causes are on their revisions', async () => /\n1 +first\n2 +second\n3 +second\n/.test(await admin('rollout history deployment/web')))
    assert.match(await admin('rollout history deployment/web --revision=2'), /with revision #2\n[\s\S]*A:\s+1\n/)
    assert.equal(await admin('rollout undo deployment/web'), 'deployment.apps/web rolled back\n')
    assert.equal(await admin(env), '1')
    await eventually('revision 2 is now 4', async () => /\n1 .*\n3 .*\n4 .*\n/.test(await admin('rollout history deployment/web')))
    assert.equal(await admin('rollout undo deployment/web --to-revision=1'), 'deployment.apps/web rolled back\n')
    assert.equal(await admin(env), '')
    assert.match(await admin.says('rollout undo deployment/web --to-revision=99'), /error: unable to find specified revision 99 in history/)
    await admin('rollout status deployment/web')
  })

  it('pauses, resumes and restarts', async () => {
    assert.equal(await admin('rollout pause deployment/web'), 'deployment.apps/web paused\n')
    assert.equal(await admin.says('rollout pause deployment/web'), 'error: deployments.apps "web" is already paused\n')
    await admin('set env deployment/web A=3')
    assert.match(await admin('describe deployment web'), /Progressing +Unknown +DeploymentPaused/)
    assert.match(await admin.says('rollout undo deployment/web'), /you cannot rollback a paused deployment/)
    assert.equal(await admin('rollout resume deployment/web'), 'deployment.apps/web resumed\n')
    await admin('rollout status deployment/web')
    const podsOf = async () => (await admin("get pods -l app=web --field-selector status.phase=Running -o 'jsonpath={.items[*].metadata.name}'")).split(' ')
    const before = await podsOf()
    assert.equal(await admin('rollout restart deployment/web'), 'deployment.apps/web restarted\n')
    await admin('rollout status deployment/web')
    await eventually('all pods are new', async () => (await podsOf()).every((name) => !before.includes(name)))
  })

  it('tells that it does not get on', async () => {
    await admin(`patch deployment web -p '{"spec":{"progressDeadlineSeconds":2}}'`)
    await admin('set image deployment/web main=nowhere:1')
    assert.match(
      await admin.says('rollout status deployment/web --timeout=20s', { timeoutMs: 25_000 }),
      /error: deployment "web" exceeded its progress deadline\n$/,
    )
    assert.match(await admin.says('set image deployment/web nope=x'), /error: unable to find container named "nope"/)
    await admin('rollout undo deployment/web')
    await admin('rollout status deployment/web')
  })
})

describe('kubectl scale, autoscale, expose, set', () => {
  it('scales, under a condition too', async () => {
    assert.equal(await admin('scale deployment web --replicas=3'), 'deployment.apps/web scaled\n')
    assert.match(await admin.says('scale deployment web --current-replicas=5 --replicas=1'), /error: Expected replicas to be 5, was 3/)
    assert.equal(await admin('scale deployment web --current-replicas=3 --replicas=1'), 'deployment.apps/web scaled\n')
    await admin("wait --for=jsonpath='{.status.readyReplicas}'=1 deployment/web --timeout=20s")
  })

  it('makes an autoscaler', async () => {
    assert.equal(await admin('autoscale deployment web --min=1 --max=3 --cpu=50%'), 'horizontalpodautoscaler.autoscaling/web autoscaled\n')
    assert.match(await admin('get hpa'), /^web +Deployment\/web +cpu: <unknown>\/50% +1 +3 +\d+ +\d+s$/m)
    await admin('delete hpa web')
  })

  it('exposes, and points elsewhere', async () => {
    assert.equal(await admin('expose deployment web --port=80 --target-port=http'), 'service/web exposed\n')
    await eventually('it has an endpoint', async () => /10\.244\.\d+\.\d+:8080/.test(await admin('describe service web')))
    assert.match(await admin.says('expose deployment web --port=80'), /services "web" already exists/)
    assert.equal(await admin('set selector service web app=other'), 'service/web selector updated\n')
    await eventually('it has none', async () => !/10\.244\.\d+\.\d+:8080/.test(await admin('describe service web')))
  })

  it('sets resources and accounts', async () => {
    await admin('create serviceaccount robot')
    assert.equal(await admin('set serviceaccount deployment/web robot'), 'deployment.apps/web serviceaccount updated\n')
    assert.equal(
      await admin('set resources deployment/web --limits=cpu=200m,memory=64Mi --requests=cpu=10m'),
      'deployment.apps/web resource requirements updated\n',
    )
    await admin('rollout status deployment/web')
    assert.match(await admin('describe pod -l app=web'), /Service Account: +robot[\s\S]*Limits:\n +cpu: +200m\n +memory: +64Mi\n +Requests:\n +cpu: +10m/)
  })
})
