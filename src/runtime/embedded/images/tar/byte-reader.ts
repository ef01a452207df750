/** Exact numbers of bytes out of a stream of chunks. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>
  #current: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Undefined at the end of the stream; throws when it ends in the middle. */
  async read(length: number): Promise<Buffer | undefined> {
    if (this.#current.length < length) {
      const parts = [this.#current]
      let have = this.#current.length
      while (have < length) {
        const { done, value } = await this.#source.next()
        if (done) break
        parts.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength))
        have += value.byteLength
      }
      this.#current = Buffer.concat(parts)
      if (have === 0 && length > 0) return undefined
      if (have < length) throw new Error('unexpected end of archive')
    }
    const result = this.#current.subarray(0, length)
    this.#current = this.#current.subarray(length)
    return result
  }

  /** The next `length` bytes in whatever pieces they come. */
  async *pieces(length: number): AsyncGenerator<Buffer> {
    let left = length
    while (left > 0) {
      if (this.#current.length === 0) {
        const { done, value } = await this.#source.next()
        if (done) throw new Error('unexpected end of archive')
        this.#current = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
        continue
      }
      const piece = this.#current.subarray(0, left)
      this.#current = this.#current.subarray(piece.length)
      left -= piece.length
      yield piece
    }
  }

  /** Reads what is behind the end mark: a digest covers it too. */
  async drain(): Promise<void> {
    this.#current = Buffer.alloc(0)
    while (!(await this.#source.next()).done);
  }
}
