/** Which objects a list or watch asks for. Compiled once per request. */
import type { AnyObject } from '../../machinery/object.ts'

export interface Selection {
  /** '' for all namespaces. */
  namespace: string
  /** Undefined: everything in the namespace. */
  matches: ((object: AnyObject) => boolean) | undefined
  /** From `metadata.name=x`: at most this object. */
  name: string | undefined
  /** Field selector terms of equality, for the index. */
  fields: ReadonlyMap<string, string>
}

export const everything = (namespace = ''): Selection => ({ namespace, matches: undefined, name: undefined, fields: new Map() })
