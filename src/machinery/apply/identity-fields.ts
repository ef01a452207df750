import type { FieldSet } from './field-set.ts'

/** Fields of every object that nobody owns: the server sets them, or they name the object. */
const unowned = ['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'generation', 'managedFields', 'resourceVersion'].map((name) => `f:${name}`)

/** Without the fields that nobody owns, and without what the endpoint resets. */
export function ownable(set: FieldSet, resets: readonly string[] = []): FieldSet {
  const { 'f:apiVersion': _, 'f:kind': __, 'f:metadata': metadata, ...others } = set
  const rest: Record<string, FieldSet> = others
  for (const name of resets) delete rest[`f:${name}`]
  if (metadata === undefined) return rest
  const kept: Record<string, FieldSet> = {}
  for (const element in metadata) {
    const child = metadata[element]
    if (element !== '.' && child !== undefined && !unowned.includes(element)) kept[element] = child
  }
  return Object.keys(kept).length ? { 'f:metadata': kept, ...rest } : rest
}
