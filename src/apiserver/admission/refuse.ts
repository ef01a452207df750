/** How a plugin refuses: the Forbidden that upstream's plugins answer with. */
import { ApiError, forbidden } from '../../machinery/errors.ts'
import type { StatusCause } from '../../machinery/object.ts'
import type { AdmissionAttributes } from '../contracts.ts'

/** `pods "web-" is forbidden: WHY`; a name that is yet to be generated stands as its beginning. */
export function refused({ resource, name, object }: AdmissionAttributes, why: string, causes?: StatusCause[]): ApiError {
  const shown = name || object?.metadata.name || object?.metadata.generateName || 'Unknown'
  const error = forbidden({ group: resource.group, resource: resource.plural, name: shown }, why)
  return causes ? new ApiError({ ...error.status, details: { ...error.status.details, causes } }) : error
}

/** Whether the write is of this resource itself, not of something below it. */
export const isWriteOf = ({ resource, subresource }: AdmissionAttributes, plural: string, group = '') =>
  resource.plural === plural && resource.group === group && subresource === ''

/** The draft as the kind it is known to be. */
export const draftOf = <T>({ object }: AdmissionAttributes): T => object as T
