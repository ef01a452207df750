/** Why a container does not start: becomes `state.waiting` of its status. */
export class StartError extends Error {
  /** `ErrImagePull`, `CreateContainerConfigError`, … */
  readonly reason: string
  /** Whether an event has told of it already. */
  readonly told: boolean

  constructor(reason: string, message: string, options: { told?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'StartError'
    this.reason = reason
    this.told = options.told ?? false
  }
}

export const configError = (message: string): StartError => new StartError('CreateContainerConfigError', message)

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
