/** TokenReview (is this token good, and whose?) and SelfSubjectReview (who am I?). */
import { timestamp } from '../../machinery/clock.ts'
import { invalid } from '../../machinery/errors.ts'
import { required } from '../../machinery/field-error.ts'
import type { RequestHandler, ServerAccess } from '../contracts.ts'
import { negotiate } from '../negotiation/accept.ts'
import type { UserInfo } from '../request.ts'

/** As a review's status writes a user. */
export const userInfo = (user: UserInfo) => ({
  username: user.name,
  ...(user.uid ? { uid: user.uid } : {}),
  groups: user.groups,
  ...(user.extra && Object.keys(user.extra).length > 0 ? { extra: user.extra } : {}),
})

export interface ReviewedToken {
  user: UserInfo
  audiences: string[]
}

/** `review` throws an Error that says why a token is not good. */
export function tokenReview(defaultAudiences: string[], review: (token: string, audiences: string[]) => Promise<ReviewedToken>): RequestHandler {
  return {
    name: 'token-review',
    resources: ['tokenreviews.authentication.k8s.io'],
    async handle(context) {
      negotiate(context.request.headers.accept, false)
      const draft = (await context.body()) ?? {}
      const spec = ((draft as { spec?: unknown }).spec ?? {}) as { token?: string; audiences?: string[] }
      if (!spec.token)
        throw invalid({ group: 'authentication.k8s.io', kind: 'TokenReview', name: '' }, [
          required('spec.token', 'token is required for TokenReview in authentication'),
        ])
      const audiences = spec.audiences?.length ? spec.audiences : defaultAudiences
      const status = await review(spec.token, audiences).then(
        ({ user, audiences: matching }) => ({ authenticated: true, user: userInfo(user), audiences: matching }),
        (error: unknown) => ({ user: {}, error: error instanceof Error ? error.message : String(error) }),
      )
      return { kind: 'object', status: 201, object: { ...draft, kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', status } }
    },
  }
}

export function selfSubjectReview(server: ServerAccess): RequestHandler {
  return {
    name: 'self-subject-review',
    resources: ['selfsubjectreviews.authentication.k8s.io'],
    handle: async ({ user }) => ({
      kind: 'object',
      status: 201,
      object: {
        kind: 'SelfSubjectReview',
        apiVersion: 'authentication.k8s.io/v1',
        metadata: { creationTimestamp: timestamp(server.clock.now()) },
        status: { userInfo: userInfo(user) },
      },
    }),
  }
}
