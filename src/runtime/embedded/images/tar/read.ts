/** A streaming reader: nothing is held but the headers. */
import { ByteReader } from './byte-reader.ts'
import { type TarEntry, typeOfFlag, xattrPrefix } from './entry.ts'

const block = 512
/** A header larger than this is an attack. */
const maximumHeader = 1 << 20

export interface ReadEntry {
  entry: TarEntry
  /** To be read before the next entry is asked for, or left: then it is skipped. */
  body(): AsyncGenerator<Buffer>
}

export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<ReadEntry> {
  const reader = new ByteReader(source)
  let pax = new Map<string, Buffer>()
  const global = new Map<string, Buffer>()
  let longName: string | undefined
  let longLink: string | undefined
  for (;;) {
    const header = await reader.read(block)
    if (!header || header.every((byte) => byte === 0)) break
    checkSum(header)
    const flag = String.fromCharCode(header[156] ?? 0)
    const size = number(header, 124, 12)
    if (flag === 'x' || flag === 'g' || flag === 'L' || flag === 'K') {
      if (size > maximumHeader) throw new Error('archive/tar: header field too long')
      const data = Buffer.from((await reader.read(padded(size)))?.subarray(0, size) ?? [])
      if (flag === 'x') pax = paxRecords(data)
      else if (flag === 'g') for (const [key, value] of paxRecords(data)) global.set(key, value)
      else if (flag === 'L') longName = text(data, 0, data.length)
      else longLink = text(data, 0, data.length)
      continue
    }
    if (flag === 'S' || [...pax.keys()].some((key) => key.startsWith('GNU.sparse.'))) throw new Error('archive/tar: sparse files are not supported')
    const all = new Map([...global, ...pax])
    const entry = entryOf(header, flag, all, longName, longLink)
    pax = new Map()
    longName = undefined
    longLink = undefined
    const length = entry?.type === 'file' || entry === undefined ? (entry?.size ?? size) : 0
    let unread = true
    const body = async function* () {
      unread = false
      yield* reader.pieces(length)
    }
    if (entry) yield { entry: { ...entry, size: length }, body }
    if (unread) for await (const _ of reader.pieces(length));
    await reader.read(padded(length) - length)
  }
  await reader.drain()
}

const padded = (size: number): number => Math.ceil(size / block) * block

/** Undefined for kinds that hold nothing to unpack. */
function entryOf(header: Buffer, flag: string, pax: Map<string, Buffer>, longName?: string, longLink?: string): TarEntry | undefined {
  const type = typeOfFlag(flag)
  if (!type) return undefined
  const said = (key: string) => pax.get(key)?.toString('utf8')
  const ustar = header.subarray(257, 262).toString('latin1') === 'ustar'
  // GNU archives use the field for other things.
  const prefix = ustar && header[262] === 0 ? text(header, 345, 155) : ''
  const short = text(header, 0, 100)
  const name = said('path') ?? longName ?? (prefix ? `${prefix}/${short}` : short)
  const xattrs = new Map<string, Buffer>()
  for (const [key, value] of pax) if (key.startsWith(xattrPrefix)) xattrs.set(key.slice(xattrPrefix.length), value)
  return {
    name,
    type: type === 'file' && name.endsWith('/') ? 'directory' : type,
    mode: number(header, 100, 8) & 0o7777,
    uid: Number(said('uid') ?? number(header, 108, 8)),
    gid: Number(said('gid') ?? number(header, 116, 8)),
    size: Number(said('size') ?? number(header, 124, 12)),
    mtime: said('mtime') ?? String(number(header, 136, 12)),
    linkName: said('linkpath') ?? longLink ?? text(header, 157, 100),
    major: number(header, 329, 8),
    minor: number(header, 337, 8),
    xattrs,
  }
}

function text(buffer: Buffer, offset: number, length: number): string {
  const field = buffer.subarray(offset, offset + length)
  const end = field.indexOf(0)
  return field.subarray(0, end < 0 ? length : end).toString('utf8')
}

/** Octal digits, or (GNU) a binary number when the first bit is set. */
function number(buffer: Buffer, offset: number, length: number): number {
  const first = buffer[offset] ?? 0
  if (first & 0x80) {
    let value = first === 0xff ? -1 : first & 0x7f
    for (let i = offset + 1; i < offset + length; i++) value = value * 256 + (buffer[i] ?? 0)
    return value
  }
  const digits = text(buffer, offset, length).trim()
  const value = digits === '' ? 0 : Number.parseInt(digits, 8)
  if (Number.isNaN(value)) throw new Error('archive/tar: invalid tar header')
  return value
}

function checkSum(header: Buffer): void {
  let sum = 0
  for (let i = 0; i < block; i++) sum += i >= 148 && i < 156 ? 32 : (header[i] ?? 0)
  if (sum !== number(header, 148, 8)) throw new Error('archive/tar: invalid tar header')
}

/** `<length> <key>=<value>\n` each; values may hold any bytes. */
function paxRecords(data: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>()
  let at = 0
  while (at < data.length) {
    const space = data.indexOf(32, at)
    const length = Number(data.subarray(at, space).toString('latin1'))
    const equals = data.indexOf(61, space)
    if (space < 0 || equals < 0 || !(length > 0) || at + length > data.length) throw new Error('archive/tar: invalid pax header')
    records.set(data.subarray(space + 1, equals).toString('utf8'), Buffer.from(data.subarray(equals + 1, at + length - 1)))
    at += length
  }
  return records
}
