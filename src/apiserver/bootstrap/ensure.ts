import { isApiError } from '../../machinery/errors.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { ServerAccess } from '../contracts.ts'
import { internalRequest, pathOf } from '../internal-request.ts'

/** Creates; or brings the fields that count to what they should be, leaving the rest of what is stored. */
export async function ensure(
  server: ServerAccess,
  groupResource: string,
  wanted: Omit<AnyObject, 'metadata'> & { metadata: { name: string; namespace?: string } },
) {
  const [plural = '', ...rest] = groupResource.split('.')
  const group = rest.join('.')
  const at = { group, version: 'v1', plural }
  const { name, namespace = '' } = wanted.metadata
  const stored = (await server.cached(groupResource)).get(namespace, name)
  try {
    if (!stored) await internalRequest(server, 'POST', pathOf(at, namespace), wanted)
    else if (!holds(stored, wanted)) await internalRequest(server, 'PUT', pathOf(at, namespace, name), merged(stored, wanted))
  } catch (error) {
    // Another server of the cluster was first.
    if (!isApiError(error, 'AlreadyExists') && !isApiError(error, 'Conflict')) throw error
  }
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether all that is wanted stands in what is stored; lists must be the same. */
function holds(stored: unknown, wanted: unknown): boolean {
  if (isMap(wanted)) return isMap(stored) && Object.entries(wanted).every(([key, value]) => value === undefined || holds(stored[key], value))
  if (Array.isArray(wanted)) return Array.isArray(stored) && stored.length === wanted.length && wanted.every((value, index) => holds(stored[index], value))
  return stored === wanted
}

function merged<T>(stored: T, wanted: unknown): T {
  if (!isMap(stored) || !isMap(wanted)) return wanted as T
  const result: Record<string, unknown> = { ...stored }
  for (const [key, value] of Object.entries(wanted)) if (value !== undefined) result[key] = merged(result[key], value)
  return result as T
}
