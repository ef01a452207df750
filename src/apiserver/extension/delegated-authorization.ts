/** May the caller? The main API server is asked (SubjectAccessReview), and its answer is believed for a while. */
import type { Client, ResourceRef } from '../../client/client.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { V1SubjectAccessReview } from '../../machinery/schema/generated/types.ts'
import type { AuthorizationAttributes, Decision, ServerPartFactory } from '../contracts.ts'

const SubjectAccessReview: ResourceRef = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  namespaced: false,
}
const rememberMs = 10_000
const maxRemembered = 4096
/** Told to everybody, as upstream's extension servers do. */
const open = new Set(['/healthz', '/livez', '/readyz'])

export const delegatedAuthorization =
  (client: Client): ServerPartFactory =>
  ({ clock }) => {
    const known = new Map<string, { until: number; decision: Decision }>()

    async function ask({ user, info }: AuthorizationAttributes): Promise<Decision> {
      const { name, groups, uid, extra } = user
      const { verb, group, version, resource, subresource, namespace, path } = info
      const attributes = info.isResourceRequest
        ? { resourceAttributes: { verb, group, version, resource, subresource, namespace, name: info.name } }
        : { nonResourceAttributes: { verb, path } }
      const spec = { user: name, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}), ...attributes }
      const { status } = (await client.create(SubjectAccessReview, { metadata: {}, spec } as unknown as KubeObject)) as unknown as V1SubjectAccessReview
      const decision = status?.allowed ? 'allowed' : status?.denied ? 'denied' : 'noOpinion'
      return { decision, reason: status?.reason ?? '' }
    }

    return {
      name: 'delegated authorization',
      authorizers: [
        {
          name: 'the main API server',
          async authorize(attributes) {
            const { user, info } = attributes
            if (!info.isResourceRequest && open.has(info.path)) return { decision: 'allowed', reason: '' }
            if (user.groups.includes('system:masters')) return { decision: 'allowed', reason: '' }
            const { isResourceRequest, path, verb, group, resource, subresource, namespace, name } = info
            const key = JSON.stringify([user, isResourceRequest ? [verb, group, resource, subresource, namespace, name] : [verb, path]])
            const remembered = known.get(key)
            if (remembered && remembered.until > clock.now()) return remembered.decision
            const decision = await ask(attributes)
            if (known.size >= maxRemembered) known.clear()
            known.set(key, { until: clock.now() + rememberMs, decision })
            return decision
          },
        },
      ],
    }
  }
