/** Frames of SPDY/3.1: cut out of the bytes of a connection, and written. */

export type Frame = { type: 'data'; stream: number; fin: boolean; data: Buffer } | { type: 'control'; kind: number; flags: number; data: Buffer }

export const kinds = { synStream: 1, synReply: 2, rstStream: 3, settings: 4, ping: 6, goAway: 7, headers: 8, windowUpdate: 9 } as const

export const finFlag = 0x01
const version = 3
const headerLength = 8
/** Far above what any client sends in one frame; a longer one is not SPDY. */
const longest = 4 * 1024 * 1024

/** Takes bytes as they come and gives whole frames. */
export class FrameReader {
  #rest: Buffer

  constructor() {
    this.#rest = Buffer.alloc(0)
  }

  *read(chunk: Buffer): Generator<Frame> {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    for (;;) {
      const bytes = this.#rest
      if (bytes.length < headerLength) return
      const length = bytes.readUInt32BE(4) & 0xffffff
      if (length > longest) throw new Error(`a SPDY frame of ${length} bytes`)
      if (bytes.length < headerLength + length) return
      this.#rest = bytes.subarray(headerLength + length)
      const data = bytes.subarray(headerLength, headerLength + length)
      const word = bytes.readUInt32BE(0)
      const flags = bytes[4] ?? 0
      if (word & 0x80000000) yield { type: 'control', kind: word & 0xffff, flags, data }
      else yield { type: 'data', stream: word, fin: (flags & finFlag) !== 0, data }
    }
  }
}

export function dataHeader(stream: number, length: number, fin: boolean): Buffer {
  const header = Buffer.alloc(headerLength)
  header.writeUInt32BE(stream, 0)
  header.writeUInt32BE(length, 4)
  header[4] = fin ? finFlag : 0
  return header
}

export function controlFrame(kind: number, flags: number, words: number[], rest: Buffer = Buffer.alloc(0)): Buffer {
  const frame = Buffer.alloc(headerLength + words.length * 4)
  frame.writeUInt16BE(0x8000 | version, 0)
  frame.writeUInt16BE(kind, 2)
  frame.writeUInt32BE(words.length * 4 + rest.length, 4)
  frame[4] = flags
  words.forEach((word, index) => {
    frame.writeUInt32BE(word >>> 0, headerLength + index * 4)
  })
  return Buffer.concat([frame, rest])
}
