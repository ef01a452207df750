/** Brings a blob into the store: goes on where an earlier attempt, or an earlier process, broke off. */
import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { RuntimeError } from '../../../runtime.ts'
import type { BlobStore } from '../blob-store.ts'
import type { RegistryClient } from './registry-client.ts'
import { TransientError } from './transient-error.ts'

/** `onBytes` hears how many bytes of the blob are there. */
export async function downloadBlob(client: RegistryClient, blobs: BlobStore, digest: string, size: number, onBytes: (bytes: number) => void): Promise<void> {
  if (blobs.has(digest)) return onBytes(size)
  const path = blobs.partialPath(digest)
  await client.retrying(async () => {
    const have = statSync(path, { throwIfNoEntry: false })?.size ?? 0
    let hash = createHash('sha256')
    let offset = have <= size ? have : 0
    if (offset > 0) for await (const chunk of createReadStream(path, { end: offset - 1 })) hash.update(chunk)
    const file = await open(path, offset > 0 ? 'r+' : 'w')
    try {
      if (offset < size || size === 0) {
        const { body, partial } = await client.blob(digest, offset)
        if (offset > 0 && !partial) {
          offset = 0
          hash = createHash('sha256')
          await file.truncate(0)
        }
        for await (const chunk of whole(body)) {
          if (offset + chunk.length > size) throw await discard(file, digest, `more than ${size} bytes`)
          await file.write(chunk, 0, chunk.length, offset)
          hash.update(chunk)
          offset += chunk.length
          onBytes(offset)
        }
        if (offset < size) throw new TransientError(`the connection ended after ${offset} of ${size} bytes`)
      }
      const found = `sha256:${hash.digest('hex')}`
      if (found !== digest) throw await discard(file, digest, found)
    } finally {
      await file.close()
    }
  })
  onBytes(size)
  await blobs.adopt(path, digest)
}

/** A connection that breaks is no fault of the content. */
async function* whole(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') throw error
    throw new TransientError(`the connection broke: ${error instanceof Error ? error.message : error}`, { cause: error })
  }
}

async function discard(file: { truncate(length: number): Promise<void> }, digest: string, found: string): Promise<RuntimeError> {
  await file.truncate(0)
  return new RuntimeError('ErrImagePull', `failed commit on ref "layer-${digest}": unexpected commit digest ${found}, expected ${digest}: failed precondition`)
}
