/** Headers as ustar, with a pax header in front where ustar does not hold the value. */
import { flagOfType, type TarEntry, xattrPrefix } from './entry.ts'

const block = 512

/** The header blocks of an entry; its body follows, then {@link padding}. */
export function tarHeader(entry: TarEntry): Buffer {
  const pax: [string, Buffer | string][] = []
  const name = entry.type === 'directory' && !entry.name.endsWith('/') ? `${entry.name}/` : entry.name
  if (Buffer.byteLength(name) > 100) pax.push(['path', name])
  if (Buffer.byteLength(entry.linkName) > 100) pax.push(['linkpath', entry.linkName])
  if (entry.mtime.includes('.') || Number(entry.mtime) < 0) pax.push(['mtime', entry.mtime])
  if (entry.uid > 0o7777777) pax.push(['uid', String(entry.uid)])
  if (entry.gid > 0o7777777) pax.push(['gid', String(entry.gid)])
  if (entry.size > 0o77777777777) pax.push(['size', String(entry.size)])
  for (const [key, value] of entry.xattrs) pax.push([xattrPrefix + key, value])
  const header = ustar(entry, name, flagOfType(entry.type))
  if (pax.length === 0) return header
  const records = Buffer.concat(pax.map(([key, value]) => paxRecord(key, Buffer.from(value))))
  const extension = ustar({ ...entry, mode: 0o644, size: records.length, linkName: '' }, 'pax/header', 'x')
  return Buffer.concat([extension, records, padding(records.length), header])
}

export const padding = (size: number): Buffer => Buffer.alloc((block - (size % block)) % block)

export const endOfArchive = (): Buffer => Buffer.alloc(2 * block)

/** A regular file of the archive's own making. */
export function plainFile(name: string, size: number): TarEntry {
  return { name, type: 'file', mode: 0o644, uid: 0, gid: 0, size, mtime: '0', linkName: '', major: 0, minor: 0, xattrs: new Map() }
}

export function plainDirectory(name: string): TarEntry {
  return { ...plainFile(name, 0), type: 'directory', mode: 0o755 }
}

function ustar(entry: TarEntry, name: string, flag: string): Buffer {
  const header = Buffer.alloc(block)
  const octal = (value: number, offset: number, length: number) => {
    const limit = 8 ** (length - 1) - 1
    header.write(
      Math.max(0, Math.min(Math.floor(value), limit))
        .toString(8)
        .padStart(length - 1, '0'),
      offset,
      'latin1',
    )
  }
  Buffer.from(name).copy(header, 0, 0, 100)
  octal(entry.mode, 100, 8)
  octal(entry.uid, 108, 8)
  octal(entry.gid, 116, 8)
  octal(entry.size, 124, 12)
  octal(Number(entry.mtime), 136, 12)
  header.write('        ', 148, 'latin1')
  header.write(flag, 156, 'latin1')
  Buffer.from(entry.linkName).copy(header, 157, 0, 100)
  header.write('ustar\x0000', 257, 'latin1')
  octal(entry.major, 329, 8)
  octal(entry.minor, 337, 8)
  let sum = 0
  for (const byte of header) sum += byte
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.byteLength(key) + value.length + 3
  let length = rest + String(rest).length
  // The length counts its own digits.
  if (String(length).length !== String(rest).length) length = rest + String(length).length
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from('\n')])
}
