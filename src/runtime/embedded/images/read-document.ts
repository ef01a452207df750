/** Reads the documents of an image, which somebody else wrote: what is no digest becomes no file name, and what is wrong is said in words. */
import { isObject } from '../../../machinery/patch/json-value.ts'
import { isDigest } from './digest.ts'
import type { Descriptor, ImageConfig, Index, Manifest } from './manifest.ts'

export function readManifest(content: Uint8Array): Manifest | Index {
  const document = objectIn(content, 'the manifest')
  if (Array.isArray(document.manifests)) {
    document.manifests.forEach(checkDescriptor)
    return document as unknown as Index
  }
  if (!Array.isArray(document.layers) || !isObject(document.config)) throw new Error('unexpected media type: neither a manifest nor an index of version 2')
  for (const one of [document.config, ...document.layers]) checkDescriptor(one)
  return document as unknown as Manifest
}

export function readConfig(content: Uint8Array): ImageConfig {
  const document = objectIn(content, "the image's config")
  const { diff_ids: diffIds = [] } = isObject(document.rootfs) ? document.rootfs : {}
  if (!Array.isArray(diffIds) || !diffIds.every(isDigestText)) throw new Error("the image's config names layers by what is no digest")
  return { ...document, rootfs: { type: 'layers', diff_ids: diffIds } } as unknown as ImageConfig
}

function objectIn(content: Uint8Array, what: string): Record<string, unknown> {
  let document: unknown
  try {
    document = JSON.parse(Buffer.from(content).toString())
  } catch (error) {
    throw new Error(`${what} is not JSON: ${error instanceof Error ? error.message : error}`, { cause: error })
  }
  if (!isObject(document)) throw new Error(`${what} is not a JSON object`)
  return document
}

function checkDescriptor(one: unknown): asserts one is Descriptor {
  if (!isObject(one) || !isDigestText(one.digest)) throw new Error('the manifest names content by what is no digest')
  if (!Number.isSafeInteger(one.size) || (one.size as number) < 0) throw new Error(`the manifest tells no size of ${one.digest}`)
}

const isDigestText = (value: unknown): value is string => typeof value === 'string' && isDigest(value)
