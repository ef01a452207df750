/**
 * The old `componentstatuses`: how the control plane is. The store is healthy when it answers; scheduler and
 * controller manager are while they renew the Lease by which they lead.
 */
import type { Resource } from '../../apis/resource.ts'
import { notFound } from '../../machinery/errors.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { V1Lease } from '../../machinery/schema/generated/types.ts'
import type { RequestHandler, ServerAccess } from '../contracts.ts'
import { negotiate } from '../negotiation/accept.ts'
import { includeObjectOf, present } from '../negotiation/present.ts'

const leases: Readonly<Record<string, string>> = { 'controller-manager': 'kube-controller-manager', scheduler: 'kube-scheduler' }

export function componentStatuses(server: ServerAccess, storeAnswers: () => Promise<unknown>): RequestHandler {
  /** What is wrong, undefined when nothing is. */
  async function wrongWith(component: string): Promise<string | undefined> {
    const name = leases[component]
    if (name === undefined)
      return storeAnswers().then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      )
    const lease = (await server.cached('leases.coordination.k8s.io')).get('kube-system', name) as V1Lease | undefined
    const { renewTime, leaseDurationSeconds = 0 } = lease?.spec ?? {}
    if (renewTime === undefined) return `nobody leads as ${name}`
    return Date.parse(renewTime) + leaseDurationSeconds * 1000 < server.clock.now() ? `the Lease ${name} was last renewed at ${renewTime}` : undefined
  }

  async function status(name: string): Promise<AnyObject> {
    const error = await wrongWith(name)
    const condition = error === undefined ? { type: 'Healthy', status: 'True', message: 'ok' } : { type: 'Healthy', status: 'False', message: '', error }
    return { kind: 'ComponentStatus', apiVersion: 'v1', metadata: { name }, conditions: [condition] } as unknown as AnyObject
  }

  const names = [...Object.keys(leases), 'etcd-0'].sort()
  return {
    name: 'component-statuses',
    resources: ['componentstatuses'],
    async handle({ info, request, resource }) {
      const served = resource as Resource
      const accepted = negotiate(request.headers.accept)
      if (info.name && !names.includes(info.name)) throw notFound({ group: '', resource: 'componentstatuses', name: info.name })
      const found = await Promise.all((info.name ? [info.name] : names).map(status))
      const object = info.name ? found[0] : { kind: 'ComponentStatusList', apiVersion: 'v1', metadata: {}, items: found }
      const include = includeObjectOf(request.query)
      return { kind: 'object', status: 200, object: present(object, { accepted, resource: served, include, now: server.clock.now() }) }
    },
  }
}
