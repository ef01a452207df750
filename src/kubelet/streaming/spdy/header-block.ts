/**
 * Header blocks of SPDY/3: pairs of names and values in one zlib stream for each direction, with a dictionary that
 * the draft gives. What a server of ours says in headers is nothing, so writing needs no compressor: the empty block
 * goes out as a stored one.
 */
import { constants, createInflate, type Inflate } from 'node:zlib'
import dictionaries from 'spdy-transport/lib/spdy-transport/protocol/spdy/dictionary.js'

export class HeaderReader {
  readonly #inflate: Inflate = createInflate({ dictionary: dictionaries[3.1], finishFlush: constants.Z_SYNC_FLUSH, chunkSize: 65_536 })

  constructor() {
    // An error reaches the caller through the write that met it.
    this.#inflate.on('error', () => {})
  }

  /** Blocks must be read one after another: each continues where the last ended. */
  async read(block: Buffer): Promise<Record<string, string>> {
    await new Promise<void>((resolve, reject) => this.#inflate.write(block, (error) => (error ? reject(error) : resolve())))
    const plain = this.#inflate.read() as Buffer | null
    return plain ? pairs(plain) : {}
  }

  close(): void {
    this.#inflate.destroy()
  }
}

function pairs(block: Buffer): Record<string, string> {
  const headers: Record<string, string> = {}
  let at = 4
  const text = () => {
    const length = block.readUInt32BE(at)
    at += 4 + length
    return block.toString('utf8', at - length, at)
  }
  for (let left = block.readUInt32BE(0); left > 0; left--) {
    const name = text().toLowerCase()
    headers[name] = text()
  }
  return headers
}

const zlibStart = Buffer.from([0x78, 0x01])
/** A stored block of four octets (no pairs), and an empty one, by which readers know that they have all of it. */
const noPairs = Buffer.from([0x00, 0x04, 0x00, 0xfb, 0xff, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff])

export const emptyBlock = (first: boolean): Buffer => (first ? Buffer.concat([zlibStart, noPairs]) : noPairs)
