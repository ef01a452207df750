/** The end of things by kubectl: waiting for it, deleting, nodes taken out of use. */
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

describe('kubectl wait', () => {
  it('waits for conditions, values, creation and deletion', async () => {
    await admin('apply -f -', { stdin: sleeper('web', 1) })
    assert.equal(await admin('wait --for=condition=Available deployment/web --timeout=20s'), 'deployment.apps/web condition met\n')
    assert.equal(await admin.says('wait --for=condition=Nope deployment/web --timeout=1s'), 'error: timed out waiting for the condition on deployments/web\n')
    const made = admin('wait --for=create configmap/later --timeout=20s')
    await admin('create configmap later')
    assert.equal(await made, 'configmap/later condition met\n')
    const gone = admin('wait --for=delete configmap/later --timeout=20s')
    await admin('delete configmap later')
    assert.match(await gone, /^(configmap\/later condition met\n)?$/)
  })
})

describe('kubectl delete', () => {
  it('deletes what depends, before, after, or not', async () => {
    await admin('apply -f -', { stdin: sleeper('front', 1) + sleeper('back', 1) + sleeper('alone', 1) })
    for (const name of ['front', 'back', 'alone']) await admin(`rollout status deployment/${name}`)
    assert.match(await admin('delete deployment front --cascade=foreground'), /deployment\.apps "front" deleted/)
    assert.equal(await admin.says('get rs,pods -l app=front'), 'No resources found in team namespace.\n')
    assert.match(await admin('delete deployment back'), /deployment\.apps "back" deleted/)
    await eventually('all is gone', async () => (await admin.says('get rs,pods -l app=back')).startsWith('No resources'))
    assert.match(await admin('delete deployment alone --cascade=orphan'), /deployment\.apps "alone" deleted/)
    assert.match(
      await admin('get rs,pods -l app=alone -o name'),
      /^pod\/alone-\S+\nreplicaset\.apps\/alone-\S+\n$|^replicaset\.apps\/alone-\S+\npod\/alone-\S+\n$/,
    )
    assert.equal(await admin("get rs -l app=alone -o 'jsonpath={.items[0].metadata.ownerReferences}'"), '')
    await admin('delete rs -l app=alone --cascade=orphan')
    assert.match(await admin('get pods -l app=alone'), /Running/)
  })

  it('waits or does not, with more or less grace', async () => {
    assert.match(
      await admin.says('delete pod -l app=alone --grace-period=0 --force'),
      /Warning: Immediate deletion does not wait[\s\S]*force deleted|force deleted[\s\S]*Warning/,
    )
    assert.equal(await admin.says('get pods -l app=alone'), 'No resources found in team namespace.\n')
    await admin('run slow --image=busybox:1.35 --restart=Never -- sh -c \'trap "" TERM; while true; do sleep 1; done\'')
    await admin('wait --for=condition=Ready pod/slow')
    assert.match(await admin('delete pod slow --wait=false --grace-period=2'), /pod "slow" deleted/)
    assert.match(await admin('get pod slow'), /slow +1\/1 +Terminating/)
    await admin('wait --for=delete pod/slow --timeout=20s')
    assert.equal(await admin.says('delete pod slow'), 'Error from server (NotFound): pods "slow" not found\n')
    assert.equal(await admin('delete pod slow --ignore-not-found'), '')
    assert.match(await admin.says('delete namespace default'), /namespaces "default" is forbidden: this namespace may not be deleted/)
  })

  it('deletes a namespace with all that is in it', async () => {
    await admin('create namespace short')
    await admin('apply -n short -f -', { stdin: sleeper('inside', 1) })
    await admin('create configmap settings -n short')
    assert.match(await admin('delete namespace short', { timeoutMs: 40_000 }), /namespace "short" deleted/)
    assert.match(await admin.says('create configmap other -n short'), /namespaces "short" not found/)
  })
})

describe('kubectl taint, cordon, drain', () => {
  it('keeps pods away', async () => {
    await admin('taint node node-1 why=because:NoSchedule')
    await admin('run away --image=busybox:1.35 --restart=Never -- true')
    await eventually('it is said why', async () => /0\/1 nodes are available: 1 node\(s\) had untolerated taint/.test(await admin('events --for pod/away')))
    assert.match(await admin('get pod away'), /away +0\/1 +Pending/)
    assert.equal(await admin('taint node node-1 why-'), 'node/node-1 untainted\n')
    await admin("wait --for=jsonpath='{.status.phase}'=Succeeded pod/away --timeout=20s")
    await admin('delete pod away')
  })

  it('empties a node, as far as budgets allow', async () => {
    await admin('scale deployment web --replicas=2')
    await admin('rollout status deployment/web')
    await admin('create poddisruptionbudget web --selector=app=web --min-available=1')
    await eventually('the budget is counted', async () => (await admin("get pdb web -o 'jsonpath={.status.disruptionsAllowed}'")) === '1')
    const drained = await admin.says('drain node-1 --ignore-daemonsets --timeout=3s')
    assert.match(drained, /node\/node-1 cordoned\n/)
    assert.match(drained, /evicting pod team\/web-/)
    assert.match(drained, /Cannot evict pod as it would violate the pod's disruption budget\./)
    assert.match(await admin('get nodes'), /node-1 +Ready,SchedulingDisabled/)
    assert.equal(await admin('uncordon node-1'), 'node/node-1 uncordoned\n')
    await admin('rollout status deployment/web')
    await admin('delete pdb web')
    assert.match(await admin('drain node-1 --ignore-daemonsets --timeout=20s', { timeoutMs: 30_000 }), /node\/node-1 drained\n$/)
    await admin('uncordon node-1')
  })
})
