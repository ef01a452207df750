/** The way back: what an overlay's upper directory took away becomes `.wh.` files, as a layer says it. */
import { readTar } from './read.ts'
import { endOfArchive, padding, plainFile, tarHeader } from './write.ts'

const opaqueAttribute = 'trusted.overlay.opaque'

/** `source` is a tar of the directory, made with its extended attributes. */
export async function* overlayToLayer(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const { entry, body } of readTar(source)) {
    const name = entry.name.replace(/^\.\//, '').replace(/\/$/, '')
    if (name === '' || name === '.') continue
    const slash = name.lastIndexOf('/')
    if (entry.type === 'character' && entry.major === 0 && entry.minor === 0) {
      yield tarHeader({ ...plainFile(`${name.slice(0, slash + 1)}.wh.${name.slice(slash + 1)}`, 0), mtime: entry.mtime })
      continue
    }
    const opaque = entry.xattrs.get(opaqueAttribute)?.toString() === 'y'
    const xattrs = new Map([...entry.xattrs].filter(([key]) => !key.startsWith('trusted.')))
    yield tarHeader({ ...entry, name, linkName: entry.type === 'link' ? entry.linkName.replace(/^\.\//, '') : entry.linkName, xattrs })
    if (opaque) yield tarHeader({ ...plainFile(`${name}/.wh..wh..opq`, 0), mtime: entry.mtime })
    yield* body()
    if (entry.size > 0) yield padding(entry.size)
  }
  yield endOfArchive()
}
