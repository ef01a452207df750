/** Reads a container's log from its file in CRI form: `TIME STREAM TAG TEXT`, where tag `P` marks a part of a longer line. */
import { type FileHandle, open } from 'node:fs/promises'
import type { Clock } from '../../machinery/clock.ts'

export interface LogOptions {
  follow: boolean
  timestamps: boolean
  tailLines?: number
  limitBytes?: number
  /** Milliseconds since the epoch. */
  since?: number
  stream?: 'stdout' | 'stderr'
}

const blockSize = 64 * 1024
const pollMs = 100

/** The log's lines as the client is to see them, until the end of the file, or of the container where it follows. */
export async function* readContainerLog(
  path: string,
  options: LogOptions,
  { clock, isRunning, signal }: { clock: Clock; isRunning(): Promise<boolean>; signal: AbortSignal },
): AsyncGenerator<Buffer> {
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY
  const shown = function* (chunk: Buffer): Generator<Buffer> {
    const text = format(chunk, options)
    if (text.length === 0) return
    const part = text.length > left ? text.subarray(0, left) : text
    left -= part.length
    yield part
  }
  let file = await openLog(path)
  let position = file && options.tailLines !== undefined ? await tailStart(file, options.tailLines) : 0
  let rest: Buffer = Buffer.alloc(0)
  let lastLook = false
  try {
    while (left > 0 && !signal.aborted) {
      let block = await readAt(file, position)
      if (block.length === 0) {
        const next = await rotated(path, file, position)
        if (!next) {
          if (!options.follow || lastLook) return
          // What it wrote last may have come after our last read: look once more when it has ended.
          if (!(await isRunning())) lastLook = true
          else await clock.sleep(pollMs, signal).catch(() => {})
          continue
        }
        // The old file may have grown between our last read and its end.
        block = await readAt(file, position)
        if (block.length === 0) {
          await file?.close()
          file = next
          position = 0
          rest = Buffer.alloc(0)
          continue
        }
        await next.close()
      }
      position += block.length
      const all = rest.length > 0 ? Buffer.concat([rest, block]) : block
      const end = all.lastIndexOf(10) + 1
      rest = all.subarray(end)
      yield* shown(all.subarray(0, end))
      lastLook = false
    }
  } finally {
    await file?.close()
  }
}

/** The same of a log that is kept in memory, and only grows. */
export async function* readKeptLog(
  read: () => Promise<Buffer | undefined>,
  { follow, tailLines, limitBytes = Number.POSITIVE_INFINITY, ...options }: LogOptions,
  { clock, isRunning, signal }: { clock: Clock; isRunning(): Promise<boolean>; signal: AbortSignal },
): AsyncGenerator<Buffer> {
  let position: number | undefined
  let left = limitBytes
  for (let lastLook = false; left > 0 && !signal.aborted; ) {
    const content = (await read()) ?? Buffer.alloc(0)
    position ??= tailLines === undefined ? 0 : content.length - Buffer.byteLength(lastLines(content.toString(), tailLines))
    const text = format(content.subarray(position), { follow, ...options }).subarray(0, left)
    position = content.length
    left -= text.length
    if (text.length > 0) yield text
    if (!follow || lastLook) return
    // What it wrote last may have come after this look.
    if (!(await isRunning())) lastLook = true
    else await clock.sleep(pollMs, signal).catch(() => {})
  }
}

const lastLines = (text: string, count: number): string => (count <= 0 ? '' : (text.match(/[^\n]*\n|[^\n]+$/g) ?? []).slice(-count).join(''))

async function openLog(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function readAt(file: FileHandle | undefined, position: number): Promise<Buffer> {
  if (!file) return Buffer.alloc(0)
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(blockSize), 0, blockSize, position)
  return buffer.subarray(0, bytesRead)
}

/** The new file, when the runtime has begun one under the same name or emptied this one. */
async function rotated(path: string, file: FileHandle | undefined, position: number): Promise<FileHandle | undefined> {
  const now = await openLog(path)
  if (!now) return undefined
  const [was, is] = [await file?.stat(), await now.stat()]
  if (!was || was.ino !== is.ino || is.size < position) return now
  await now.close()
  return undefined
}

/** Where the last `lines` lines begin. */
async function tailStart(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat()
  if (lines <= 0) return size
  let position = size
  let found = 0
  while (position > 0) {
    const length = Math.min(blockSize, position)
    position -= length
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, position)
    for (let index = length - 1; index >= 0; index--) {
      // The newline that ends the last line begins none.
      if (buffer[index] !== 10 || position + index === size - 1) continue
      if (++found === lines) return position + index + 1
    }
  }
  return 0
}

function format(chunk: Buffer, { timestamps, since, stream }: LogOptions): Buffer {
  const parts: Buffer[] = []
  let start = 0
  while (start < chunk.length) {
    const found = chunk.indexOf(10, start)
    const end = found < 0 ? chunk.length : found
    const line = chunk.subarray(start, end)
    start = end + 1
    const timeEnd = line.indexOf(32)
    const streamEnd = line.indexOf(32, timeEnd + 1)
    const tagEnd = line.indexOf(32, streamEnd + 1)
    if (timeEnd < 0 || streamEnd < 0 || tagEnd < 0) continue
    const time = line.subarray(0, timeEnd).toString()
    if (since !== undefined && Date.parse(time) < since) continue
    if (stream !== undefined && line.subarray(timeEnd + 1, streamEnd).toString() !== stream) continue
    // Runtimes write the offset in numbers; clients are shown UTC as Z.
    if (timestamps) parts.push(Buffer.from(`${time.replace(/[+-]00:00$/, 'Z')} `))
    parts.push(line.subarray(tagEnd + 1))
    const partial = line[streamEnd + 1] === 0x50
    if (!partial) parts.push(newline)
  }
  return Buffer.concat(parts)
}

const newline = Buffer.from('\n')
