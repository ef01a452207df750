/** Step 9 of the guide: usage is measured, visitors raise the number of Pods, nodes are added, what fails is replaced. */
import { Event, Node } from '../../client/resources.ts'
import { expect, hasEvent, isReady, namespace, podsOf, readyPods, stateOf } from './checks.ts'
import type { GuideCluster } from './guide-cluster.ts'
import type { Step } from './step.ts'
import { visitors } from './visitors.ts'

export const scaling: Step = {
  number: 9,
  title: 'Scaling and Monitoring',
  kubectl: ['apply', '-f', '../skiff/node-pool.yaml', '-f', 'flask-autoscaler.yaml', '-n', namespace],
  meanwhile: visitors,
  statements: [
    {
      statement: 'The MetricsServer collects CPU/memory usage from Flask and PostgreSQL Pods.',
      async check(cluster) {
        const lines = (await cluster.answer(['top', 'pod', '-n', namespace, '--no-headers'])).split('\n').filter(Boolean)
        const pods = [...(await podsOf(cluster, 'flask-deployment')), ...(await podsOf(cluster, 'postgres-deployment'))].map((pod) => pod.metadata.name)
        const measured = lines.map((line) => line.split(/\s+/)).filter(([name = '', , memory]) => pods.includes(name) && memory !== '0Mi')
        const of = (deployment: string) => measured.filter(([name]) => name?.startsWith(deployment)).length
        expect(of('flask-deployment') >= 3 && of('postgres-deployment') === 1, `kubectl top pod tells of ${lines.length} Pods`)
        return measured.map(([name, processors, memory]) => `${name} ${processors} ${memory}`).join(', ')
      },
    },
    {
      statement:
        'If traffic spikes, the ClusterAutoscaler may add Nodes to the NodePool, and the Scheduler assigns new Pods if the Deployment scales (from 3 to 5 replicas).',
      async check(cluster) {
        const pods = await readyPods(cluster, 'flask-deployment', 5)
        const nodes = [...new Set(pods.map((pod) => pod.spec.nodeName ?? ''))]
        const { items } = await cluster.client.list(Node, { labelSelector: 'skiff.dev/node-pool=flask' })
        const added = items.map(({ metadata }) => metadata.name).filter((name) => nodes.includes(name))
        expect(added.length > 0, `all Pods are on ${nodes.join(', ')}, and the NodePool has ${items.length} nodes`)
        const { items: events } = await cluster.client.list(Event, { namespace })
        const triggered = events.find(({ reason }) => reason === 'TriggeredScaleUp')
        expect(triggered !== undefined, 'no Pod triggered it')
        const rescaled = await hasEvent(cluster, 'HorizontalPodAutoscaler', 'flask-autoscaler', 'SuccessfulRescale')
        return `${rescaled}; ${triggered.involvedObject.name} ${triggered.message}; 5 Pods are ready on ${nodes.join(', ')}`
      },
    },
    {
      statement: 'If a Flask Pod fails, the ReplicaSet creates a replacement, and the Scheduler reassigns it to a healthy Node.',
      check: replacesFailed,
    },
  ],
}

/** Deletes one of the Flask Pods, and waits for the one in its place. */
async function replacesFailed(cluster: GuideCluster): Promise<string> {
  const before = await readyPods(cluster, 'flask-deployment', 5)
  const [failed] = before
  await cluster.answer(['delete', 'pod', '-n', namespace, failed?.metadata.name ?? '', '--wait=false'])
  const end = performance.now() + 60_000
  for (;;) {
    const now = await podsOf(cluster, 'flask-deployment')
    const added = now.find((pod) => !before.some((one) => one.metadata.uid === pod.metadata.uid))
    if (added && isReady(added)) {
      const { status } = await cluster.client.get(Node, { name: added.spec.nodeName ?? '' })
      expect(status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false, `${added.spec.nodeName} is not ready`)
      return `${failed?.metadata.name} was deleted; ${added.metadata.name} took its place on ${added.spec.nodeName}`
    }
    expect(performance.now() < end, `of the ReplicaSet there are ${now.map(stateOf).join('; ')}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
