/** What is worth another attempt. */
export class TransientError extends Error {}

/** Codes of faults on the way; a name or address that does not answer is left to who asked. */
const passing = /^(ECONNRESET|EPIPE|ETIMEDOUT|ECONNABORTED|UND_ERR_.*)$/

/** Of `fetch`, which hides what is wrong in its cause. */
export function failedRequest(url: string, error: unknown): { message: string; passes: boolean } {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const why = cause instanceof Error ? cause.message : String(cause)
  return { message: `failed to do request: Get "${url}": ${why}`, passes: passing.test((cause as NodeJS.ErrnoException).code ?? '') }
}

export const passesByItself = (status: number): boolean => status === 429 || status >= 500
