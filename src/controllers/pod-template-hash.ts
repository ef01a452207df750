import type { V1PodTemplateSpec } from '../machinery/schema/generated/types.ts'
import { deepEqual } from './deep-equal.ts'

export const templateHashLabel = 'pod-template-hash'

/** Letters and digits that spell no words and are not taken for one another, as upstream picks them. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789'

/** A short name for a pod template; another one for each count of collisions. */
export function templateHash(template: V1PodTemplateSpec, collisionCount: number | undefined): string {
  const text = JSON.stringify(inOrder(template)) + (collisionCount === undefined ? '' : String(collisionCount))
  const digits = String(fnv1a(Buffer.from(text, 'utf8')))
  return [...digits].map((digit) => alphabet[digit.charCodeAt(0) % alphabet.length]).join('')
}

/** FNV-1a of 32 bits. */
function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** Order of fields must not matter. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, inOrder(field)]),
  )
}

/** Whether two templates make the same pods: they may differ in the hash that one has as a label. */
export function sameTemplate(a: V1PodTemplateSpec | undefined, b: V1PodTemplateSpec | undefined): boolean {
  return deepEqual(withoutHash(a), withoutHash(b))
}

/** Empty labels and metadata count as none. */
function withoutHash(template: V1PodTemplateSpec | undefined): unknown {
  const { [templateHashLabel]: _, ...labels } = template?.metadata?.labels ?? {}
  const { creationTimestamp: __, ...metadata } = { ...template?.metadata, labels: Object.keys(labels).length > 0 ? labels : undefined }
  return { spec: template?.spec, metadata }
}
