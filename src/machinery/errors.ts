/**
 * The catalogue of API errors: each makes the Status that upstream answers (reason, code, message form,
 * causes). Thrown on the server, and thrown by the client for an answer that holds a Status.
 */
import type { Status, StatusCause } from './object.ts'

export class ApiError extends Error {
  readonly status: Status

  constructor(status: Status) {
    super(status.message ?? status.reason ?? 'unknown')
    this.name = 'ApiError'
    this.status = status
  }

  get code(): number {
    return this.status.code ?? 500
  }

  get reason(): string {
    return this.status.reason ?? ''
  }
}

/** What an error is about: `resource` is the plural name, as in messages (`pods "x" not found`). */
export interface About {
  group?: string
  resource: string
  name?: string
}

function make(code: number, reason: string, message: string, details?: Status['details']): ApiError {
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details ? { details } : {}),
    code,
  })
}

const qualified = (about: About) => (about.group ? `${about.resource}.${about.group}` : about.resource)

function detailsOf(about: About, more?: Status['details']): Status['details'] {
  return {
    ...(about.name ? { name: about.name } : {}),
    ...(about.group ? { group: about.group } : {}),
    kind: about.resource,
    ...more,
  }
}

export const notFound = (about: About) => make(404, 'NotFound', `${qualified(about)} "${about.name ?? ''}" not found`, detailsOf(about))

/** For a path that names no resource. */
export const noSuchPath = () => make(404, 'NotFound', 'the server could not find the requested resource', {})

export const alreadyExists = (about: About) => make(409, 'AlreadyExists', `${qualified(about)} "${about.name ?? ''}" already exists`, detailsOf(about))

export const generateNameConflict = (about: About) =>
  make(
    409,
    'AlreadyExists',
    `${qualified(about)} "${about.name ?? ''}" already exists, the server was not able to generate a unique name for the object`,
    detailsOf(about, { retryAfterSeconds: 1 }),
  )

export const conflict = (about: About, why: string) =>
  make(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(about)} "${about.name ?? ''}": ${why}`, detailsOf(about))

/** The conflict of an update whose resourceVersion is not the stored one. */
export const modified = (about: About) => conflict(about, 'the object has been modified; please apply your changes to the latest version and try again')

/** Conflicts of server-side apply, one cause (reason FieldManagerConflict) for each field. */
export const applyConflict = (message: string, causes: StatusCause[]) => make(409, 'Conflict', message, { causes })

export const invalid = (about: { group?: string; kind: string; name: string }, causes: StatusCause[]) => {
  const texts = causes.map((cause) => `${cause.field}: ${cause.message}`)
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  const kind = about.group ? `${about.kind}.${about.group}` : about.kind
  return make(422, 'Invalid', `${kind} "${about.name}" is invalid: ${list}`, {
    name: about.name,
    ...(about.group ? { group: about.group } : {}),
    kind: about.kind,
    causes,
  })
}

export const forbidden = (about: About, why: string) =>
  make(
    403,
    'Forbidden',
    about.resource ? `${qualified(about)}${about.name ? ` "${about.name}"` : ''} is forbidden: ${why}` : `forbidden: ${why}`,
    detailsOf(about),
  )

export const unauthorized = (message = 'Unauthorized') => make(401, 'Unauthorized', message)
export const badRequest = (message: string) => make(400, 'BadRequest', message)
export const methodNotAllowed = (about: About, verb: string) =>
  make(405, 'MethodNotAllowed', `${verb} is not supported on resources of kind "${qualified(about)}"`, detailsOf(about))
export const notAcceptable = (accepted: string[]) => make(406, 'NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`)
export const unsupportedMediaType = (accepted: string[]) =>
  make(415, 'UnsupportedMediaType', `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`)
export const requestTooLarge = (message: string) => make(413, 'RequestEntityTooLarge', message)
export const tooManyRequests = (message: string, retryAfterSeconds: number, causes?: StatusCause[]) =>
  make(429, 'TooManyRequests', message, { ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}), ...(causes ? { causes } : {}) })
/** A watch or list from a revision that was compacted, or a continue token that is too old. */
export const expired = (message: string) => make(410, 'Expired', message)
export const gone = (message: string) => make(410, 'Gone', message)
export const timeout = (message: string, retryAfterSeconds = 1) => make(504, 'Timeout', message, { retryAfterSeconds })
export const serviceUnavailable = (message: string) => make(503, 'ServiceUnavailable', message)
export const internalError = (message: string) => make(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] })

export const isApiError = (error: unknown, reason?: string): error is ApiError => error instanceof ApiError && (reason === undefined || error.reason === reason)
