/** Which container of a pod a request means. */
import { badRequest, notFound } from '../../machinery/errors.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import type { ServerAccess } from '../contracts.ts'

const names = (containers: { name: string }[] | undefined) => (containers ?? []).map(({ name }) => name)

/** The pod, once it has a node. */
export async function scheduledPod(
  server: ServerAccess,
  namespace: string,
  name: string,
): Promise<V1Pod & { spec: NonNullable<V1Pod['spec']> & { nodeName: string } }> {
  const pod = (await server.cached('pods')).get(namespace, name) as unknown as V1Pod | undefined
  if (!pod) throw notFound({ resource: 'pods', name })
  const { spec } = pod
  if (!spec?.nodeName) throw badRequest(`pod ${name} does not have a host assigned`)
  return { ...pod, spec: { ...spec, nodeName: spec.nodeName } }
}

export function containerOf(pod: V1Pod, asked: string | null): string {
  const name = pod.metadata.name
  const [main, init, ephemeral] = [names(pod.spec?.containers), names(pod.spec?.initContainers), names(pod.spec?.ephemeralContainers)]
  if (asked) {
    if ([...main, ...init, ...ephemeral].includes(asked)) return asked
    throw badRequest(`container ${asked} is not valid for pod ${name}`)
  }
  const only = main[0]
  if (main.length === 1 && only !== undefined) return only
  const listed = (list: string[]) => `[${list.join(' ')}]`
  let message = `a container name must be specified for pod ${name}, choose one of: ${listed(main)}`
  if (init.length > 0) message += ` or one of the init containers: ${listed(init)}`
  if (ephemeral.length > 0) message += ` or one of the ephemeral containers: ${listed(ephemeral)}`
  throw badRequest(message)
}
