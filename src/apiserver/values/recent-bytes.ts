/**
 * Encoded forms of shared objects, as long as somebody asks for them. What is written is sent at once to all who
 * watch, and then seldom again: to keep the bytes of every object would double what the objects take.
 */

export interface Encoding {
  /** Length of `{"kind":"…","apiVersion":"…",`; what follows is an item of a typed list. */
  readonly head: number
  /** The stored form, from which the wire form is spliced without encoding again; dropped then. */
  plain: Uint8Array | undefined
  wire: Buffer | undefined
  /** The generation in which its bytes were last made or asked for. */
  generation: number
}

const roomBytes = 128 * 1024
const nothing = Buffer.alloc(0)

/**
 * Bytes are kept in two generations of at most `generationBytes` each. When the younger one is full it becomes the
 * older one, and what was not asked for since the last time is forgotten; it can be encoded again.
 */
export class RecentBytes {
  readonly #generationBytes: number
  #generation = 0
  #bytes = 0
  #younger: Encoding[] = []
  #older: Encoding[] = []
  #room = nothing

  constructor(generationBytes: number) {
    this.#generationBytes = generationBytes
  }

  encoding(head: number, plain?: Uint8Array): Encoding {
    const encoding: Encoding = { head, plain, wire: undefined, generation: -1 }
    if (plain) this.#keep(encoding, plain.length)
    return encoding
  }

  /** The wire form, made by `make` if it is not there any more. */
  wire(encoding: Encoding, make: (plain: Uint8Array | undefined) => Buffer): Buffer {
    const { wire, generation } = encoding
    if (wire) {
      if (generation !== this.#generation) this.#keep(encoding, wire.length)
      return wire
    }
    const made = make(encoding.plain)
    encoding.plain = undefined
    encoding.wire = made
    this.#keep(encoding, made.length)
    return made
  }

  /** Bytes to be filled: beside others that are forgotten about when they are, and not in Node's own pool, most of which is let go at once. */
  allocate(size: number): Buffer {
    if (size > roomBytes / 4) return Buffer.allocUnsafeSlow(size)
    if (size > this.#room.length) this.#room = Buffer.allocUnsafeSlow(roomBytes)
    const bytes = this.#room.subarray(0, size)
    this.#room = this.#room.subarray(size)
    return bytes
  }

  #keep(encoding: Encoding, size: number): void {
    if (encoding.generation !== this.#generation) {
      encoding.generation = this.#generation
      this.#younger.push(encoding)
    }
    this.#bytes += size
    if (this.#bytes > this.#generationBytes) this.#age()
  }

  #age(): void {
    for (const encoding of this.#older) {
      if (encoding.generation === this.#generation) continue
      encoding.plain = undefined
      encoding.wire = undefined
    }
    this.#older = this.#younger
    this.#younger = []
    this.#bytes = 0
    this.#generation++
  }
}
