/** Asks the authorizers in order; nobody's yes is a no. */
import type { AuthorizationAttributes, Authorizer, Decision } from '../contracts.ts'

export async function authorize(authorizers: readonly Authorizer[], attributes: AuthorizationAttributes): Promise<Decision> {
  const reasons: string[] = []
  for (const authorizer of authorizers) {
    const decision = authorizer.authorize(attributes)
    const made = decision instanceof Promise ? await decision : decision
    if (made.decision !== 'noOpinion') return made
    if (made.reason) reasons.push(made.reason)
  }
  return { decision: 'noOpinion', reason: reasons.join('; ') }
}
