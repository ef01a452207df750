/** The wire format of protocol buffers: tags, varints, lengths. */

export class WireError extends Error {
  constructor(message: string) {
    super(`proto: ${message}`)
    this.name = 'WireError'
  }
}

/** The value of a field: a number (varint), eight or four bytes, or the bytes of a string, message or packed list. */
export type WireValue = bigint | Uint8Array

/** Reads the fields of a message in order, whatever they mean. */
export function* readFields(bytes: Uint8Array): Generator<{ number: number; value: WireValue }> {
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++]
      if (byte === undefined) throw new WireError('unexpected end')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw new WireError('integer overflow')
  }
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new WireError('unexpected end')
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const number = tag >>> 3
    switch (tag & 7) {
      case 0:
        yield { number, value: varint() }
        break
      case 1:
        yield { number, value: take(8) }
        break
      case 2:
        yield { number, value: take(Number(varint())) }
        break
      case 5:
        yield { number, value: take(4) }
        break
      default:
        throw new WireError(`wire type ${tag & 7} is not known`)
    }
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true })

export function text(value: WireValue): string {
  if (typeof value === 'bigint') throw new WireError('a number stands where text is wanted')
  return decoder.decode(value)
}

export function message(value: WireValue): Uint8Array {
  if (typeof value === 'bigint') throw new WireError('a number stands where a message is wanted')
  return value
}

/** A signed integer; those beyond 2^53 lose their last digits, as everywhere in JSON. */
export function integer(value: WireValue): number {
  if (typeof value !== 'bigint') throw new WireError('bytes stand where a number is wanted')
  return Number(BigInt.asIntN(64, value))
}
