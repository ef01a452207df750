/**
 * Sets of fields, in the form in which `fieldsV1` is written: a tree whose names are elements of paths
 * (see path-element.ts). A node without anything below is a member; a node with `.` is a member and has
 * members below; any other only leads to members. Nothing here changes a set.
 */
export type FieldSet = { readonly [element: string]: FieldSet }

/** A member with nothing below. */
export const leaf: FieldSet = Object.freeze({})
/** The set of no fields; only meaningful at the top. */
export const none: FieldSet = leaf

export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false
  return true
}

/** Of a node below the top. */
export const isMember = (node: FieldSet): boolean => '.' in node || isEmpty(node)

/** The node for these parts; nothing when there is neither. */
export function node(member: boolean, below: FieldSet | undefined): FieldSet | undefined {
  if (below === undefined || isEmpty(below)) return member ? leaf : undefined
  return member ? { '.': leaf, ...below } : below
}

function below(node: FieldSet): FieldSet {
  if (!('.' in node)) return node
  const { '.': _, ...rest } = node
  return rest
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmpty(b)) return a
  if (isEmpty(a)) return b
  let result: Record<string, FieldSet> | undefined
  for (const element in b) {
    const right = b[element]
    const left = a[element]
    if (right === undefined) continue
    const both = left === undefined ? right : unionOfNodes(left, right)
    if (both === left) continue
    result ??= { ...a }
    result[element] = both
  }
  return result ?? a
}

function unionOfNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a
  const member = isMember(a) || isMember(b)
  const merged = union(below(a), below(b))
  if (isMember(a) === member && (merged === a || equalSets(merged, below(a)))) return a
  return node(member, merged) ?? leaf
}

/** Members of `a` that are not members of `b`. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return a
  let result: Record<string, FieldSet> | undefined
  for (const element in a) {
    const right = b[element]
    const left = a[element]
    if (right === undefined || left === undefined) continue
    const kept = node(isMember(left) && !isMember(right), difference(below(left), below(right)))
    if (kept !== undefined && equalSets(kept, left)) continue
    result ??= { ...a }
    if (kept === undefined) delete result[element]
    else result[element] = kept
  }
  return result ?? a
}

/** Without the members of `b` and all below them. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  const result: Record<string, FieldSet> = {}
  for (const element in a) {
    const left = a[element]
    const right = b[element]
    if (left === undefined) continue
    if (right === undefined) result[element] = left
    else if (!isMember(right)) {
      const kept = node(isMember(left), recursiveDifference(below(left), below(right)))
      if (kept) result[element] = kept
    }
  }
  return result
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const result: Record<string, FieldSet> = {}
  for (const element in a) {
    const left = a[element]
    const right = b[element]
    if (left === undefined || right === undefined) continue
    const both = node(isMember(left) && isMember(right), intersection(below(left), below(right)))
    if (both) result[element] = both
  }
  return result
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true
  let elements = 0
  for (const element in a) {
    elements++
    const left = a[element]
    const right = b[element]
    if (left === undefined || right === undefined || !equalSets(left, right)) return false
  }
  for (const _ in b) elements--
  return elements === 0
}

/** Every member as the elements of its path. */
export function* paths(set: FieldSet, prefix: readonly string[] = []): Generator<readonly string[]> {
  for (const element of Object.keys(set).sort(byElement)) {
    const child = set[element]
    if (element === '.' || child === undefined) continue
    const path = [...prefix, element]
    if (isMember(child)) yield path
    yield* paths(child, path)
  }
}

const order = 'fkvi'

/** Fields first, then keys, values and indices; each by its text. */
function byElement(a: string, b: string): number {
  if (a.charCodeAt(0) === b.charCodeAt(0)) return a < b ? -1 : a > b ? 1 : 0
  return order.indexOf(a.charAt(0)) - order.indexOf(b.charAt(0))
}

/** In the order in which upstream writes them; the set itself when it is so already, as stored ones are. */
export function sorted(set: FieldSet): FieldSet {
  return isSorted(set) ? set : withSorted(set, sorted)
}

/** In that order, with what `inner` makes of each set below. */
export function withSorted(set: FieldSet, inner: (child: FieldSet) => FieldSet): FieldSet {
  const result: Record<string, FieldSet> = {}
  if ('.' in set) result['.'] = leaf
  for (const element of Object.keys(set).sort(byElement)) {
    const child = set[element]
    if (element !== '.' && child !== undefined) result[element] = inner(child)
  }
  return result
}

function isSorted(set: FieldSet): boolean {
  let previous: string | undefined
  for (const element in set) {
    const child = set[element]
    if (element === '.' ? previous !== undefined : previous !== undefined && previous !== '.' && byElement(previous, element) > 0) return false
    if (child !== undefined && !isSorted(child)) return false
    previous = element
  }
  return true
}

/** The set of these paths of field names: `['metadata', 'name']`. */
export function setOf(...fieldPaths: (readonly string[])[]): FieldSet {
  let result: FieldSet = none
  for (const path of fieldPaths) {
    let set: FieldSet = leaf
    for (const name of [...path].reverse()) set = { [`f:${name}`]: set }
    result = union(result, set)
  }
  return result
}
