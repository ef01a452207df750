/** No answer came from the server: refused, reset, timed out, name not found, certificate not trusted. */
export class ConnectionError extends Error {
  /** Node's code: `ECONNREFUSED`, `ECONNRESET`, … */
  readonly code: string
  /** The connection had served requests before, and may have been closed for having been idle. */
  readonly onKeptConnection: boolean

  constructor(message: string, code: string, options: { cause?: unknown; onKeptConnection?: boolean } = {}) {
    super(message, { cause: options.cause })
    this.name = 'ConnectionError'
    this.code = code
    this.onKeptConnection = options.onKeptConnection ?? false
  }
}
