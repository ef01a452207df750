/** Where the two versions of OpenAPI differ. */
export interface Dialect {
  version: 2 | 3
  /** Prefix of references to definitions. */
  refs: string
}

export const v2: Dialect = { version: 2, refs: '#/definitions/' }
export const v3: Dialect = { version: 3, refs: '#/components/schemas/' }

export type Json = { [name: string]: unknown }

export const refTo = (dialect: Dialect, definition: string): Json => ({ $ref: `${dialect.refs}${definition}` })
