/** What went wrong and what to do, in one sentence for a person. The command line prints the message alone. */
export class UserError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'UserError'
  }
}
