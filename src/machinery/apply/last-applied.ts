/** What `kubectl apply` without `--server-side` left in an annotation, and how ownership passes from it. */
import { isObject, type JsonObject } from '../patch/json-value.ts'
import type { Struct } from '../schema/structure.ts'
import { compare } from './comparison.ts'
import { difference, type FieldSet, none, union } from './field-set.ts'
import { fieldsOf } from './object-fields.ts'
import type { Tracked } from './tracking.ts'

export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

export function lastAppliedOf(object: Tracked | undefined): string | undefined {
  const metadata = object?.metadata
  const annotations = isObject(metadata) ? metadata.annotations : undefined
  const text = isObject(annotations) ? annotations[lastAppliedAnnotation] : undefined
  return typeof text === 'string' ? text : undefined
}

/**
 * Fields that an apply by kubectl may take without force: those that kubectl applied from the client before
 * and nobody changed since.
 */
export function fieldsLastApplied(struct: Struct, live: Tracked | undefined): FieldSet {
  const text = lastAppliedOf(live)
  if (text === undefined) return none
  let applied: unknown
  try {
    applied = JSON.parse(text)
  } catch {
    // Whatever is in the annotation is the user's; unreadable it grants nothing.
    return none
  }
  if (!isObject(applied)) return none
  const { changed, removed } = compare(struct, applied, live)
  return difference(fieldsOf(struct, applied), union(changed, removed))
}

/** Keeps the annotation true after an apply by kubectl, for clients that still read it. */
export function withLastApplied<T extends Tracked>(object: T, applied: T): T {
  const metadata = object.metadata as JsonObject
  const annotations = isObject(metadata.annotations) ? metadata.annotations : {}
  const text = `${escaped(JSON.stringify(inOrder(withoutAnnotation(applied))))}\n`
  if (annotations[lastAppliedAnnotation] === text || Buffer.byteLength(text) > maxAnnotation) return object
  return { ...object, metadata: { ...metadata, annotations: { ...annotations, [lastAppliedAnnotation]: text } } }
}

/** As Go writes JSON, which is how kubectl compares it. */
const escaped = (json: string): string => json.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Upstream's limit of all annotations together. */
const maxAnnotation = 256 * 1024

function withoutAnnotation(applied: Tracked): Tracked {
  const metadata = isObject(applied.metadata) ? applied.metadata : {}
  const { managedFields: _, ...rest } = metadata
  const annotations = isObject(rest.annotations) ? rest.annotations : {}
  const { [lastAppliedAnnotation]: __, ...others } = annotations
  return { ...applied, metadata: { ...rest, annotations: others } }
}

/** Names in alphabetical order, as kubectl writes them. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder)
  if (!isObject(value)) return value
  const result: JsonObject = {}
  for (const name of Object.keys(value).sort()) result[name] = inOrder(value[name])
  return result
}
