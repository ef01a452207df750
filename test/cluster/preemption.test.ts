/** A pod that matters more takes the room of one that matters less, on a real node. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { busybox, eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'

describe('preemption', () => {
  let cluster: TestCluster
  before(async () => {
    cluster = await startTestCluster()
  })
  after(() => cluster?.remove())

  it('ends the less important pod, and runs the other in its place', async () => {
    const { kubectl } = cluster
    await eventually('the namespace is ready', () => kubectl('get serviceaccount default'))
    await kubectl('create priorityclass high --value=1000')
    const cpu = Number(await kubectl('get node node-1 -o jsonpath={.status.allocatable.cpu}'))
    const pod = (name: string, priorityClassName?: string) =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name },
        spec: {
          ...(priorityClassName ? { priorityClassName } : {}),
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'main', image: busybox, command: ['sleep', '1000'], resources: { requests: { cpu: String(cpu * 0.7) } } }],
        },
      })
    const phase = (name: string) => kubectl(`get pod ${name} -o jsonpath={.status.phase}`)
    await kubectl('apply -f -', { stdin: pod('low') })
    await eventually('the first runs', async () => (await phase('low')) === 'Running')
    await kubectl('apply -f -', { stdin: pod('urgent', 'high') })
    await eventually('the other runs in its place', async () => (await phase('urgent')) === 'Running')
    assert.equal((await cluster.kubectl.run(['get', 'pod', 'low'])).code, 1)
    const uid = await kubectl('get pod urgent -o jsonpath={.metadata.uid}')
    assert.match(await kubectl('get events --field-selector reason=Preempted'), new RegExp(`pod/low +Preempted by pod ${uid} on node node-1`))
  })
})
