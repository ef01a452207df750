import { readFileSync } from 'node:fs'
import type { SchemaFile } from './schema-file.ts'

/** Reads the generated schema of the built-in kinds (`npm run generate`). */
export function readBuiltInSchema(): SchemaFile {
  return JSON.parse(readFileSync(new URL('./generated/schema.json', import.meta.url), 'utf8')) as SchemaFile
}

/** `{model: {'': text of the kind, field: text}}`; read only when OpenAPI is asked for. */
export function readBuiltInDescriptions(): Record<string, Record<string, string>> {
  return JSON.parse(readFileSync(new URL('./generated/descriptions.json', import.meta.url), 'utf8')) as Record<string, Record<string, string>>
}
