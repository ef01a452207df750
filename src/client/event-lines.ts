/**
 * Decodes a stream of JSON values, one on each line, as a watch sends them. Bytes are searched for the line's
 * end and decoded once, so that a character or an object cut by a chunk's border costs no more than a copy.
 */
const newline = 0x0a

export async function* decodeLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  let rest: Uint8Array[] = []
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const tail = chunk.subarray(start, end)
      const line = rest.length === 0 ? tail : Buffer.concat([...rest, tail])
      rest = []
      start = end + 1
      const text = asText(line)
      if (text !== '') yield JSON.parse(text)
    }
    if (start < chunk.length) rest.push(chunk.subarray(start))
  }
  // A value without its line end is a stream that broke: the reader resumes from what it had.
}

const asText = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8').trim()
