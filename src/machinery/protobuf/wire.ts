/** The wire format of protocol buffers: numbered fields, each a number or a piece of bytes. */

export type WireValue = number | Uint8Array

/** Fields in the order they stand. Throws for bytes that are no message. */
export function* readFields(bytes: Uint8Array): Generator<[number: number, value: WireValue]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const varint = (): number => {
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined) throw new RangeError('unexpected EOF')
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= (bits & 0xf) << 28
        high |= bits >> 4
      } else high |= bits << (shift - 32)
      if (byte < 0x80) return signed(low, high)
    }
    throw new RangeError('integer overflow')
  }
  while (at < bytes.length) {
    const tag = varint()
    const number = tag >>> 3
    switch (tag & 7) {
      case 0:
        yield [number, varint()]
        break
      case 1:
        yield [number, view.getFloat64(at, true)]
        at += 8
        break
      case 2: {
        const length = varint()
        if (length < 0 || at + length > bytes.length) throw new RangeError('unexpected EOF')
        yield [number, bytes.subarray(at, at + length)]
        at += length
        break
      }
      case 5:
        yield [number, view.getFloat32(at, true)]
        at += 4
        break
      default:
        throw new RangeError(`illegal wireType ${tag & 7}`)
    }
  }
}

/** As an int64; exact within JavaScript's safe integers. */
function signed(low: number, high: number): number {
  return (high | 0) * 2 ** 32 + (low >>> 0)
}
