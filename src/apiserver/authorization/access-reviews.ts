/** May somebody do something? SubjectAccessReview and its relatives (`kubectl auth can-i`). */

import { badRequest, invalid } from '../../machinery/errors.ts'
import { type FieldError, invalidValue } from '../../machinery/field-error.ts'
import type { V1PolicyRule, V1SubjectAccessReviewSpec } from '../../machinery/schema/generated/types.ts'
import type { RequestContext, RequestHandler, ServerAccess } from '../contracts.ts'
import { negotiate } from '../negotiation/accept.ts'
import type { ApiResponse, RequestInfo, UserInfo } from '../request.ts'

const group = 'authorization.k8s.io'
const oneOf = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'

function attributesInfo(spec: V1SubjectAccessReviewSpec): RequestInfo {
  const nothing = { path: '', verb: '', group: '', version: '', namespace: '', resource: '', subresource: '', name: '', rest: '' }
  const { resourceAttributes: asked, nonResourceAttributes: path } = spec
  if (!asked) return { ...nothing, isResourceRequest: false, path: path?.path ?? '', verb: path?.verb ?? '' }
  return {
    ...nothing,
    isResourceRequest: true,
    verb: asked.verb ?? '',
    group: asked.group ?? '',
    version: asked.version ?? '',
    namespace: asked.namespace ?? '',
    resource: asked.resource ?? '',
    subresource: asked.subresource ?? '',
    name: asked.name ?? '',
  }
}

async function decide(server: ServerAccess, user: UserInfo, spec: V1SubjectAccessReviewSpec) {
  const { decision, reason } = await server.authorize({ user, info: attributesInfo(spec) })
  return { allowed: decision === 'allowed', ...(decision === 'denied' ? { denied: true } : {}), ...(reason ? { reason } : {}) }
}

function check(kind: string, spec: V1SubjectAccessReviewSpec, self: boolean): void {
  const errors: FieldError[] = []
  if ((spec.resourceAttributes === undefined) === (spec.nonResourceAttributes === undefined))
    errors.push(invalidValue(spec.resourceAttributes ? 'spec.nonResourceAttributes' : 'spec.resourceAttributes', spec.resourceAttributes, oneOf))
  if (!self && !spec.user && !spec.groups?.length) errors.push(invalidValue('spec.user', spec.user ?? '', 'at least one of user or group must be specified'))
  if (errors.length > 0) throw invalid({ group, kind, name: '' }, errors)
}

function review(
  server: ServerAccess,
  kind: string,
  plural: string,
  who: (spec: V1SubjectAccessReviewSpec, context: RequestContext) => UserInfo,
): RequestHandler {
  const self = kind === 'SelfSubjectAccessReview'
  return {
    name: kind,
    resources: [`${plural}.${group}`],
    async handle(context): Promise<ApiResponse> {
      negotiate(context.request.headers.accept, false)
      const draft = (await context.body()) ?? {}
      const spec = ((draft as { spec?: V1SubjectAccessReviewSpec }).spec ?? {}) as V1SubjectAccessReviewSpec
      check(kind, spec, self)
      const { namespace } = context.info
      if (kind === 'LocalSubjectAccessReview' && spec.resourceAttributes?.namespace !== namespace)
        throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}`)
      const status = await decide(server, who(spec, context), spec)
      return { kind: 'object', status: 201, object: { ...draft, kind, apiVersion: `${group}/v1`, status } }
    },
  }
}

const named = (spec: V1SubjectAccessReviewSpec): UserInfo => ({
  name: spec.user ?? '',
  groups: spec.groups ?? [],
  ...(spec.uid ? { uid: spec.uid } : {}),
  ...(spec.extra ? { extra: spec.extra as Record<string, string[]> } : {}),
})

/** `kubectl auth can-i --list`. */
function rulesReview(rulesFor: (user: UserInfo, namespace: string) => V1PolicyRule[]): RequestHandler {
  const kind = 'SelfSubjectRulesReview'
  return {
    name: kind,
    resources: [`selfsubjectrulesreviews.${group}`],
    async handle(context): Promise<ApiResponse> {
      negotiate(context.request.headers.accept, false)
      const { user } = context
      const draft = (await context.body()) ?? {}
      const namespace = (draft as { spec?: { namespace?: string } }).spec?.namespace
      if (!namespace) throw badRequest('no namespace on request')
      const rules = rulesFor(user, namespace)
      const status = {
        resourceRules: rules
          .filter((rule) => rule.resources?.length)
          .map(({ verbs, apiGroups, resources, resourceNames }) => ({ verbs, apiGroups, resources, ...(resourceNames?.length ? { resourceNames } : {}) })),
        nonResourceRules: rules.filter((rule) => rule.nonResourceURLs?.length).map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
        incomplete: false,
      }
      return { kind: 'object', status: 201, object: { ...draft, kind, apiVersion: `${group}/v1`, status } }
    },
  }
}

export const accessReviews = (server: ServerAccess, rulesFor: (user: UserInfo, namespace: string) => V1PolicyRule[]): RequestHandler[] => [
  review(server, 'SubjectAccessReview', 'subjectaccessreviews', named),
  review(server, 'LocalSubjectAccessReview', 'localsubjectaccessreviews', named),
  review(server, 'SelfSubjectAccessReview', 'selfsubjectaccessreviews', (_, { user }) => user),
  rulesReview(rulesFor),
]
