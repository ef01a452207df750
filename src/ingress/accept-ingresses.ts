import type { V1Ingress } from '../machinery/schema/generated/types.ts'

/** What nginx says against the configuration of these Ingresses; undefined when it takes it. */
export type TryOut = (ingresses: readonly V1Ingress[]) => Promise<string | undefined>

/**
 * The last gate: finds the Ingresses that nginx does not take, by halves, so that one among a thousand costs ten
 * trials. `accepted` are known to be good together.
 */
export async function acceptIngresses(
  accepted: readonly V1Ingress[],
  candidates: readonly V1Ingress[],
  tryOut: TryOut,
): Promise<{ accepted: readonly V1Ingress[]; rejected: { ingress: V1Ingress; reason: string }[] }> {
  const reason = await tryOut([...accepted, ...candidates])
  if (reason === undefined) return { accepted: [...accepted, ...candidates], rejected: [] }
  const [only, ...more] = candidates
  if (!only) return { accepted, rejected: [] }
  if (more.length === 0) return { accepted, rejected: [{ ingress: only, reason }] }
  const middle = Math.ceil(candidates.length / 2)
  const first = await acceptIngresses(accepted, candidates.slice(0, middle), tryOut)
  const second = await acceptIngresses(first.accepted, candidates.slice(middle), tryOut)
  return { accepted: second.accepted, rejected: [...first.rejected, ...second.rejected] }
}
