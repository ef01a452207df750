/** Where the next page of a list starts, and at which revision. Opaque to clients; upstream's form. */
import { badRequest } from '../../machinery/errors.ts'

export interface ContinueToken {
  /** -1: as of now (a list that could not go on at its revision). */
  revision: number
  /** Key relative to the list, from which on the next page is. */
  start: string
}

export function encodeContinue({ revision, start }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start })).toString('base64url')
}

export function decodeContinue(token: string): ContinueToken {
  let decoded: { v?: unknown; rv?: unknown; start?: unknown }
  try {
    decoded = JSON.parse(Buffer.from(token, 'base64url').toString()) as typeof decoded
  } catch {
    throw badRequest('continue key is not valid: illegal base64 data at input byte 0')
  }
  const { v, rv, start } = decoded
  if (v !== 'meta.k8s.io/v1') throw badRequest(`continue key is not valid: server does not recognize this encoded version ${JSON.stringify(v)}`)
  if (typeof rv !== 'number' || rv === 0) throw badRequest('continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)')
  if (typeof start !== 'string' || start === '' || start.includes('..'))
    throw badRequest('continue key is not valid: encoded start key empty (version meta.k8s.io/v1)')
  return { revision: rv, start }
}
