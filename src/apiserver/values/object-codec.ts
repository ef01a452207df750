/**
 * Between an object and its bytes. Stored bytes are JSON as upstream stores it (no resourceVersion; the store's
 * revision is that), through the resource's {@link Transformer}. Bytes for the wire are made once for each stored
 * object and shared by every get, list and watch that sends it.
 */
import type { Resource } from '../../apis/resource.ts'
import type { AnyObject } from '../../machinery/object.ts'
import { identityTransformer, type Transformer } from '../../store/encryption/transformer.ts'
import type { KeyValue } from '../../store/store.ts'
import { type Encoding, RecentBytes } from './recent-bytes.ts'

/** Two of these are the most that is kept of encoded objects: each as large as a list of ten thousand small ones. */
const generationBytes = 8 * 1024 * 1024

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const metadataStart = Buffer.from('"metadata":{')
/** By the object; holds for every codec, as the object names its kind. Not state of a cluster: a memory of pure functions' results. */
const encodings = new WeakMap<object, Encoding>()
const recent = new RecentBytes(generationBytes)

/** Marks an object as shared: its wire bytes are worth remembering. It must never change from here on. */
export function share<T extends AnyObject>(object: T): T {
  if (!encodings.has(object)) encodings.set(object, recent.encoding(headOf(object).length))
  return object
}

export const isShared = (object: object): boolean => encodings.has(object)

/** The JSON of a shared object, or of its part that stands in a list of its kind. */
export function wireBytes(object: object): Buffer | undefined {
  const encoding = encodings.get(object)
  if (!encoding) return undefined
  return recent.wire(encoding, (plain) => (plain ? spliced(plain, object as AnyObject, encoding.head) : encoded(object)))
}

/** As {@link wireBytes}, from behind the kind and version: prefix it with `{`. */
export function itemBytes(object: object): Uint8Array | undefined {
  const wire = wireBytes(object)
  return wire?.subarray(encodings.get(object)?.head ?? 0)
}

function encoded(object: object): Buffer {
  const text = JSON.stringify(object)
  const bytes = recent.allocate(Buffer.byteLength(text))
  bytes.write(text)
  return bytes
}

function spliced(plain: Uint8Array, { metadata }: AnyObject, head: number): Buffer {
  const version = `"resourceVersion":"${metadata.resourceVersion}",`
  const at = head + metadataStart.length
  const bytes = recent.allocate(plain.length + version.length)
  bytes.set(plain.subarray(0, at))
  bytes.write(version, at, 'latin1')
  bytes.set(plain.subarray(at), at + version.length)
  return bytes
}

function headOf(object: AnyObject): string {
  return `{"kind":${JSON.stringify(object.kind)},"apiVersion":${JSON.stringify(object.apiVersion)},`
}

export class ObjectCodec {
  readonly #transformer: Transformer
  readonly #kind: string
  readonly #apiVersion: string
  readonly #head: number
  /** What stored bytes stand for: drafts just encoded, objects decoded before. */
  readonly #drafts = new WeakMap<Uint8Array, { draft: AnyObject; plain: Uint8Array }>()
  readonly #decoded = new WeakMap<Uint8Array, AnyObject>()

  constructor(resource: Resource, transformer: Transformer = identityTransformer) {
    this.#transformer = transformer
    this.#kind = resource.kind
    this.#apiVersion = resource.group ? `${resource.group}/${resource.version}` : resource.version
    this.#head = `{"kind":"${this.#kind}","apiVersion":"${this.#apiVersion}",`.length
  }

  /** The stored form. The draft becomes the decoded object of these bytes, so it must not change any more. */
  encode(draft: AnyObject, key: string): Uint8Array {
    const { kind: _kind, apiVersion: _version, metadata, ...rest } = draft
    const { resourceVersion: _revision, ...meta } = metadata
    const object = { kind: this.#kind, apiVersion: this.#apiVersion, metadata: meta, ...rest } as AnyObject
    const plain = encoder.encode(JSON.stringify(object))
    const stored = this.#transformer.toStorage(plain, key)
    this.#drafts.set(stored, { draft: object, plain })
    return stored
  }

  /** The object of a stored value, always the same one for the same value and revision. */
  decode(kv: KeyValue): AnyObject {
    const revision = String(kv.modRevision)
    const known = this.#decoded.get(kv.value)
    if (known?.metadata.resourceVersion === revision) return known
    const made = this.#drafts.get(kv.value)
    const object = made ? this.#versioned(made.draft, revision) : this.#parse(kv, revision)
    encodings.set(object, recent.encoding(this.#head, known ? undefined : made?.plain))
    if (!known) this.#decoded.set(kv.value, object)
    if (made) this.#drafts.delete(kv.value)
    return object
  }

  #versioned(draft: AnyObject, resourceVersion: string): AnyObject {
    return { ...draft, metadata: { ...draft.metadata, resourceVersion } }
  }

  #parse(kv: KeyValue, resourceVersion: string): AnyObject {
    const known = this.#decoded.get(kv.value)
    if (known) return this.#versioned(known, resourceVersion)
    const { plain } = this.#transformer.fromStorage(kv.value, kv.key)
    const { kind: _kind, apiVersion: _version, metadata, ...rest } = JSON.parse(decoder.decode(plain)) as AnyObject
    return { kind: this.#kind, apiVersion: this.#apiVersion, metadata: { ...metadata, resourceVersion }, ...rest }
  }
}
