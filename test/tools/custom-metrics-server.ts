/**
 * An extension API server of a test: `custom.metrics.k8s.io/v1beta1` and `external.metrics.k8s.io/v1beta1` over HTTPS.
 * It tells, of each metric by name, what the JSON file says now. Started as `node FILE.ts ADDRESS PORT VALUES`.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { createAuthority } from '../../src/cluster/pki/certificate-authority.ts'

const [, , address, port, file = ''] = process.argv
const own = await createAuthority('custom-metrics', Date.now())
const groups = ['custom.metrics.k8s.io', 'external.metrics.k8s.io']

/** The metric is the last word of the path, whatever it is a metric of. */
function answerOf(path: string, query: URLSearchParams): unknown {
  const group = groups.find((one) => path.startsWith(`/apis/${one}`))
  if (!group) return undefined
  const groupVersion = `${group}/v1beta1`
  if (path === `/apis/${group}`)
    return {
      kind: 'APIGroup',
      apiVersion: 'v1',
      name: group,
      versions: [{ groupVersion, version: 'v1beta1' }],
      preferredVersion: { groupVersion, version: 'v1beta1' },
    }
  if (path === `/apis/${groupVersion}`) return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: [] }
  const metric = path.split('/').at(-1) ?? ''
  const values = JSON.parse(readFileSync(file, 'utf8')) as Record<string, { value?: string; pods?: Record<string, string> }>
  const { value, pods } = values[metric] ?? {}
  const timestamp = new Date().toISOString()
  const described = (kind: string, name: string | undefined) => ({ kind, namespace: 'default', name, apiVersion: 'v1' })
  if (pods && query.has('labelSelector')) {
    const items = Object.entries(pods).map(([name, one]) => ({ describedObject: described('Pod', name), metricName: metric, timestamp, value: one }))
    return { kind: 'MetricValueList', apiVersion: groupVersion, metadata: {}, items }
  }
  if (value === undefined) return undefined
  if (group === groups[0]) {
    const items = [{ describedObject: described('Service', path.split('/').at(-2)), metricName: metric, timestamp, value }]
    return { kind: 'MetricValueList', apiVersion: groupVersion, metadata: {}, items }
  }
  return { kind: 'ExternalMetricValueList', apiVersion: groupVersion, metadata: {}, items: [{ metricName: metric, metricLabels: {}, timestamp, value }] }
}

createServer({ key: own.key, cert: own.certificate }, (request, response) => {
  const url = new URL(request.url ?? '/', 'https://metrics')
  const answer = answerOf(url.pathname, url.searchParams)
  response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' })
  response.end(
    JSON.stringify(answer ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', message: `${url.pathname} is not known`, code: 404 }),
  )
}).listen(Number(port), address, () => console.log('listening'))
