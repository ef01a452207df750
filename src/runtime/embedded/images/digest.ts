/** Content is named by its SHA-256: `sha256:<64 hexadecimal digits>`. */
import { createHash, type Hash } from 'node:crypto'
import { Transform } from 'node:stream'

export const digestOf = (content: string | Uint8Array): string => `sha256:${createHash('sha256').update(content).digest('hex')}`

export const hexOf = (digest: string): string => digest.slice(digest.indexOf(':') + 1)

export const isDigest = (text: string): boolean => /^sha256:[a-f0-9]{64}$/.test(text)

/** Lets bytes through and knows their digest and number at the end. */
export class Digester extends Transform {
  readonly #hash: Hash
  bytes = 0
  constructor() {
    super()
    this.#hash = createHash('sha256')
  }
  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, chunk: Buffer) => void): void {
    this.#hash.update(chunk)
    this.bytes += chunk.length
    done(null, chunk)
  }
  /** Once, at the end. */
  digest(): string {
    return `sha256:${this.#hash.digest('hex')}`
  }
}
