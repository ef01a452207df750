/** Pulls an image: its manifest for this machine's platform, its config, its layers. */
import { type RegistryAuth, RuntimeError } from '../../../runtime.ts'
import { digestOf, hexOf } from '../digest.ts'
import type { ImageRecord } from '../image-record.ts'
import type { ImageStore } from '../image-store.ts'
import type { Lease } from '../leases.ts'
import { choosePlatform, type Descriptor, hostPlatform, type Index, isIndex, type Manifest } from '../manifest.ts'
import { readManifest } from '../read-document.ts'
import { canonicalName, type ImageReference, parseReference, repositoryName } from '../reference.ts'
import { storeImage } from '../store-image.ts'
import { withWorkLock } from '../work-lock.ts'
import { downloadBlob } from './download.ts'
import { RegistryClient } from './registry-client.ts'
import type { RegistryConfig } from './registry-config.ts'
import { Silence } from './silence.ts'
import { TransientError } from './transient-error.ts'

export interface PullOptions {
  store: ImageStore
  auth?: RegistryAuth
  registries?: RegistryConfig
  signal?: AbortSignal
  /** How long a registry may say nothing; five minutes when absent. */
  longestSilenceMs?: number
  /** Bytes that are there, of all bytes of config and layers. */
  onProgress?(bytes: number, total: number): void
}

export async function pullImage(text: string, options: PullOptions): Promise<ImageRecord> {
  const reference = parseReference(text)
  const { store, signal } = options
  const silence = new Silence(store.clock, options.longestSilenceMs)
  const ending = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal
  const client = new RegistryClient(reference, options.registries ?? {}, options.auth, store.clock, ending)
  const lease = await store.leases.take()
  try {
    const { top, descriptor, manifest } = await resolve(client, silence, store, reference, lease)
    const progress = new Map<string, number>()
    const total = [manifest.config, ...manifest.layers].reduce((sum, one) => sum + one.size, 0)
    const fetch = ({ digest, size }: Descriptor) =>
      withWorkLock(store, `blob-${hexOf(digest)}`, () =>
        silence.during(() =>
          downloadBlob(client, store.blobs, digest, size, (bytes) => {
            silence.heard()
            progress.set(digest, bytes)
            const all = [...progress.values()].reduce((sum, one) => sum + one, 0)
            options.onProgress?.(all, total)
          }),
        ),
      )
    const byDigest = `${repositoryName(reference)}@${top}`
    const names = [...new Set([canonicalName(reference), byDigest])]
    return await storeImage({ store, lease, names, descriptor, manifest, fetch, ...(signal ? { signal } : {}) })
  } catch (error) {
    signal?.throwIfAborted()
    const name = canonicalName(reference)
    const code = error instanceof TransientError && / 50[234]/.test(error.message) ? 'RegistryUnavailable' : 'ErrImagePull'
    throw new RuntimeError(code, `failed to pull and unpack image "${name}": ${error instanceof Error ? error.message : error}`, { cause: error })
  } finally {
    lease.release()
    store.collectGarbage()
  }
}

/** `top` is the digest that the name stands for: that of the index where there is one. */
async function resolve(client: RegistryClient, silence: Silence, store: ImageStore, reference: ImageReference, lease: Lease) {
  const get = async (what: string): Promise<{ descriptor: Descriptor; document: Manifest | Index }> => {
    const { content, mediaType } = await silence
      .during(() => client.manifest(what))
      .catch((error) => {
        throw error instanceof Error ? Object.assign(error, { message: `failed to resolve reference "${canonicalName(reference)}": ${error.message}` }) : error
      })
    const digest = digestOf(content)
    if (what.includes(':') && digest !== what)
      throw new Error(`failed commit on ref "manifest-${what}": unexpected commit digest ${digest}, expected ${what}: failed precondition`)
    await lease.add(digest)
    await store.blobs.put(content)
    return { descriptor: { mediaType, digest, size: content.length }, document: readManifest(content) }
  }
  const first = await get(reference.digest ?? reference.tag ?? 'latest')
  if (!isIndex(first.document)) return { top: first.descriptor.digest, descriptor: first.descriptor, manifest: first.document }
  const chosen = choosePlatform(first.document)
  if (!chosen) throw new Error(`no match for platform in manifest: ${hostPlatform().os}/${hostPlatform().architecture}: not found`)
  const { descriptor, document } = await get(chosen.digest)
  if (isIndex(document)) throw new Error('an index inside an index is not supported')
  return { top: first.descriptor.digest, descriptor, manifest: document }
}
