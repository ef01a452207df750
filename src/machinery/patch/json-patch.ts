import { ApiError } from '../errors.ts'
import { equal, isObject, type JsonObject } from './json-value.ts'
import { inapplicablePatch, malformedPatch } from './patch-error.ts'

export interface Operation {
  op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test'
  path: string
  from?: string
  value?: unknown
}

const maxOperations = 10000

/** RFC 6902. Shares what no operation touches; throws the {@link ApiError} that upstream answers. */
export function jsonPatch<T = JsonObject>(original: T, operations: unknown): T {
  if (!Array.isArray(operations)) throw malformedPatch('json: cannot unmarshal object into Go value of type jsonpatch.Patch')
  if (operations.length > maxOperations) throw tooMany(operations.length)
  let document: unknown = original
  for (const operation of operations) document = applyOne(document, operation)
  return document as T
}

function applyOne(document: unknown, operation: unknown): unknown {
  if (!isObject(operation))
    throw malformedPatch(`json: cannot unmarshal ${Array.isArray(operation) ? 'array' : typeof operation} into Go value of type jsonpatch.Operation`)
  const { op, path, from } = operation
  if (typeof path !== 'string') throw inapplicablePatch(`${String(op)} operation failed to decode path: missing value`)
  switch (op) {
    case 'add':
      if (!('value' in operation)) throw inapplicablePatch('add operation does not apply: missing value')
      return put(document, parse(path), operation.value, 'add', path)
    case 'replace': {
      if (!('value' in operation)) throw inapplicablePatch('replace operation does not apply: missing value')
      const pointer = parse(path)
      if (read(document, pointer) === undefined) throw inapplicablePatch(`replace operation does not apply: doc is missing key: ${path}: missing value`)
      return put(document, pointer, operation.value, 'replace', path)
    }
    case 'remove':
      return remove(document, parse(path), path)
    case 'move':
    case 'copy': {
      if (typeof from !== 'string') throw inapplicablePatch(`${op} operation failed to decode from: missing value`)
      const source = parse(from)
      const value = read(document, source)
      if (value === undefined) throw inapplicablePatch(`${op} operation does not apply: doc is missing from path: ${from}: missing value`)
      if (op === 'move' && path.startsWith(`${from}/`)) throw inapplicablePatch('move operation does not apply: a value cannot be moved into itself')
      return put(op === 'move' ? remove(document, source, from) : document, parse(path), value, 'add', path)
    }
    case 'test': {
      const value = read(document, parse(path))
      if (!equal(value ?? null, operation.value ?? null)) throw inapplicablePatch(`testing value ${path} failed: test failed`)
      return document
    }
    default:
      throw inapplicablePatch(`Unexpected kind: ${String(op)}`)
  }
}

/** The names of a JSON pointer (RFC 6901). */
function parse(pointer: string): string[] {
  if (pointer === '') return []
  if (!pointer.startsWith('/')) throw inapplicablePatch(`not a JSON pointer: ${pointer}`)
  return pointer
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function read(document: unknown, pointer: string[]): unknown {
  let value = document
  for (const name of pointer) {
    if (Array.isArray(value)) {
      const index = indexOf(name, value.length)
      value = index === undefined || index >= value.length ? undefined : value[index]
    } else if (isObject(value) && Object.hasOwn(value, name)) value = value[name]
    else return undefined
  }
  return value
}

/** Negative indices count from the end, as the library that upstream uses allows. */
function indexOf(name: string, length: number): number | undefined {
  if (!/^-?(0|[1-9]\d*)$/.test(name)) return undefined
  const index = Number(name)
  if (index >= 0) return index
  return index + length >= 0 ? index + length : undefined
}

function put(document: unknown, pointer: string[], value: unknown, mode: 'add' | 'replace', path: string): unknown {
  const [name, ...rest] = pointer
  if (name === undefined) return value
  const missing = () => inapplicablePatch(`${mode} operation does not apply: doc is missing path: "${path}": missing value`)
  if (Array.isArray(document)) {
    const copy = [...document]
    const length = mode === 'add' && rest.length === 0 ? document.length + 1 : document.length
    const index = name === '-' && length > document.length ? document.length : indexOf(name, length)
    if (index === undefined || index >= length)
      throw rest.length ? missing() : inapplicablePatch(`Unable to access invalid index: ${name}: invalid index referenced`)
    if (rest.length) copy[index] = put(copy[index], rest, value, mode, path)
    else if (mode === 'add') copy.splice(index, 0, value)
    else copy[index] = value
    return copy
  }
  if (!isObject(document)) throw missing()
  if (rest.length && !Object.hasOwn(document, name)) throw missing()
  return { ...document, [name]: rest.length ? put(document[name], rest, value, mode, path) : value }
}

function remove(document: unknown, pointer: string[], path: string): unknown {
  const [name, ...rest] = pointer
  const missing = () => inapplicablePatch(`remove operation does not apply: doc is missing path: "${path}": missing value`)
  if (name === undefined) throw missing()
  if (Array.isArray(document)) {
    const index = indexOf(name, document.length)
    if (index === undefined || index >= document.length) throw missing()
    const copy = [...document]
    if (rest.length) copy[index] = remove(copy[index], rest, path)
    else copy.splice(index, 1)
    return copy
  }
  if (!isObject(document) || !Object.hasOwn(document, name)) throw missing()
  if (rest.length) return { ...document, [name]: remove(document[name], rest, path) }
  const { [name]: _, ...kept } = document
  return kept
}

function tooMany(count: number): ApiError {
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `Request entity is too large: The allowed maximum operations in a JSON patch is ${maxOperations}, got ${count}`,
    reason: 'RequestEntityTooLarge',
    code: 413,
  })
}
