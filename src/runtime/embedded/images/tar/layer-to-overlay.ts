/**
 * A layer says by names what it takes away (`.wh.x`, `.wh..wh..opq`); overlayfs by character devices 0:0 and an
 * attribute. This turns the one stream into the other, and makes it safe to unpack: no name leads out of the
 * directory, be it by `..`, by an absolute name, or through a symlink of the layer itself, and no attribute that
 * the overlay trusts comes from outside.
 */
import type { TarEntry } from './entry.ts'
import { readTar } from './read.ts'
import { endOfArchive, padding, plainDirectory, tarHeader } from './write.ts'

export interface LayerSize {
  bytes: number
  inodes: number
}

const whiteout = '.wh.'
const opaque = '.wh..wh..opq'
/** Bookkeeping of an older union file system. */
const reserved = '.wh..wh.'
/** Symlinks followed for one name before it is taken for a loop. */
const maximumLinks = 40

export async function* layerToOverlay(source: AsyncIterable<Uint8Array>, size: LayerSize): AsyncGenerator<Buffer> {
  const symlinks = new Map<string, string>()
  const directories = new Map<string, TarEntry>()
  for await (const { entry, body } of readTar(source)) {
    const path = resolve(entry.name, symlinks)
    const slash = path.lastIndexOf('/')
    const parent = slash < 0 ? '' : path.slice(0, slash)
    const base = path.slice(slash + 1)
    if (base === opaque) {
      const directory = directories.get(parent) ?? plainDirectory(`./${parent}`)
      yield tarHeader({ ...directory, xattrs: new Map([...directory.xattrs, ['trusted.overlay.opaque', Buffer.from('y')]]) })
      continue
    }
    if (base.startsWith(reserved)) continue
    if (base.startsWith(whiteout)) {
      const hidden = `./${parent ? `${parent}/` : ''}${base.slice(whiteout.length)}`
      yield tarHeader({ ...entry, name: hidden, type: 'character', major: 0, minor: 0, size: 0, linkName: '', xattrs: new Map() })
      continue
    }
    if (entry.type === 'symlink') symlinks.set(path, entry.linkName)
    else symlinks.delete(path)
    const safe: TarEntry = { ...entry, name: `./${path}`, linkName: linkOf(entry, symlinks), xattrs: harmless(entry.xattrs) }
    if (safe.type === 'directory') directories.set(path, safe)
    size.inodes++
    size.bytes += safe.size
    yield tarHeader(safe)
    yield* body()
    if (safe.size > 0) yield padding(safe.size)
  }
  yield endOfArchive()
}

function linkOf(entry: TarEntry, symlinks: Map<string, string>): string {
  return entry.type === 'link' ? `./${resolve(entry.linkName, symlinks)}` : entry.linkName
}

const harmless = (xattrs: Map<string, Buffer>): Map<string, Buffer> =>
  new Map([...xattrs].filter(([key]) => key === 'security.capability' || key.startsWith('user.')))

/**
 * The place below the root that a name means when symlinks of the layer are followed for its directories, with the
 * layer's directory as the root of everything. The last component is not followed.
 */
function resolve(name: string, symlinks: Map<string, string>): string {
  let todo = name.split('/')
  let done: string[] = []
  let links = 0
  while (todo.length > 0) {
    const [part = '', ...rest] = todo
    todo = rest
    if (part === '' || part === '.') continue
    if (part === '..') {
      done.pop()
      continue
    }
    const target = rest.some((one) => one !== '' && one !== '.') ? symlinks.get([...done, part].join('/')) : undefined
    if (target === undefined) {
      done.push(part)
      continue
    }
    if (++links > maximumLinks) throw new Error(`too many levels of symbolic links in ${JSON.stringify(name)}`)
    if (target.startsWith('/')) done = []
    todo = [...target.split('/'), ...rest]
  }
  return done.join('/')
}
