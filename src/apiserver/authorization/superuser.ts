/** Who is of `system:masters` may do everything, whatever the roles say: the way back in when they are broken. */
import type { Authorizer } from '../contracts.ts'

export const superuserGroup = 'system:masters'

export const superuser: Authorizer = {
  name: 'superuser',
  authorize: ({ user }) => (user.groups.includes(superuserGroup) ? { decision: 'allowed', reason: '' } : { decision: 'noOpinion', reason: '' }),
}
