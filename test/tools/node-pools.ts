/** Objects of tests about pools of nodes: JSON for `kubectl apply -f -`. */

export const nodePool = (name: string, spec: object = {}) =>
  JSON.stringify({
    apiVersion: 'skiff.dev/v1',
    kind: 'NodePool',
    metadata: { name },
    spec: {
      kind: 'Simulated',
      maxSize: 5,
      template: { capacity: { cpu: 2, memory: '4Gi' }, labels: { for: name } },
      scaleDown: { unneededSeconds: 2, delayAfterAddSeconds: 0 },
      ...spec,
    },
  })

/** Its pods run on nodes with the label `for: to` alone. */
export const deploymentFor = (to: string, name: string, replicas: number, { image = 'web:1', command, requests = { cpu: '800m' } }: Workload = {}) =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          nodeSelector: { for: to },
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'main', image, ...(command ? { command } : {}), resources: { requests } }],
        },
      },
    },
  })

export interface Workload {
  image?: string
  command?: string[]
  requests?: Record<string, string>
}
