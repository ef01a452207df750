import { ApiError, badRequest } from '../errors.ts'

/** The patch itself is malformed. */
export const malformedPatch = (message: string): ApiError => badRequest(message)

/** A good patch that does not apply to this object (a failed `test`, a path that is not there). */
export function inapplicablePatch(detail: string): ApiError {
  const error = new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'the server rejected our request due to an error in our request',
    reason: 'Invalid',
    details: {},
    code: 422,
  })
  // Upstream keeps the reason to itself; here it is for who debugs the server.
  error.cause = detail
  return error
}
