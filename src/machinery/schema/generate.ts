/**
 * Generates the schema of every built-in kind from the models of `@kubernetes/client-node`
 * (decision 0002). Run by `npm run generate`; writes to `generated/` beside this file:
 *
 * - `types.ts`: one TypeScript interface per model, in wire form (timestamps are strings).
 * - `schema.json`: {@link SchemaFile}: fields and types of each model, and the served resources.
 * - `descriptions.json`: `{model: {'': text, field: text}}`, apart because only OpenAPI needs it.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FieldSchema, FieldType, ModelSchema, ResourceFact, SchemaFile } from './schema-file.ts'

interface Attribute {
  name: string
  baseName: string
  type: string
  format: string
}

const require = createRequire(import.meta.url)
const gen = join(dirname(require.resolve('@kubernetes/client-node')), 'gen')
const out = join(import.meta.dirname, 'generated')

const primitives: Record<string, FieldType> = {
  string: { kind: 'string' },
  boolean: { kind: 'boolean' },
  any: { kind: 'any' },
  Date: { kind: 'string', format: 'date-time' },
  V1MicroTime: { kind: 'string', format: 'micro-time' },
  IntOrString: { kind: 'string', format: 'int-or-string' },
}

function parseType(type: string, format: string): FieldType {
  const array = /^Array<(.*)>$/.exec(type)
  if (array?.[1]) return { kind: 'array', items: parseType(array[1], format) }
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type)
  if (map?.[1]) return { kind: 'map', values: parseType(map[1], format) }
  if (type === 'number') {
    if (format === 'double') return { kind: 'number', format: 'double' }
    return format ? { kind: 'integer', format } : { kind: 'integer' }
  }
  if (type === 'string' && format) return { kind: 'string', format }
  return primitives[type] ?? { kind: 'ref', ref: type }
}

function typeScriptOf(type: FieldType): string {
  switch (type.kind) {
    case 'string':
      return type.format === 'int-or-string' ? 'number | string' : 'string'
    case 'integer':
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'any':
      return 'unknown'
    case 'array':
      return `Array<${typeScriptOf(type.items)}>`
    case 'map':
      return `{ [key: string]: ${typeScriptOf(type.values)} }`
    case 'ref':
      return type.ref
  }
}

function docText(comment: string): string {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\*?\s?/, '').trimEnd())
    .join('\n')
    .trim()
}

/** Reads the declaration file of a model: which fields are optional, and what is said of each. */
function readDeclaration(text: string): { description: string; fields: Map<string, { optional: boolean; description: string }> } {
  const fields = new Map<string, { optional: boolean; description: string }>()
  const classDoc = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export declare class/.exec(text)
  const body = text.slice(text.indexOf('export declare class'))
  for (const match of body.matchAll(/(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?'([^']+)'(\?)?: [^\n]+;/g)) {
    const [, doc, name, optional] = match
    if (name) fields.set(name, { optional: optional === '?', description: doc ? docText(doc) : '' })
  }
  return { description: classDoc?.[1] ? docText(classDoc[1]) : '', fields }
}

async function readModels() {
  const models: Record<string, ModelSchema> = {}
  const descriptions: Record<string, Record<string, string>> = {}
  const folder = join(gen, 'models')
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.js') || file === 'all.js' || file === 'ObjectSerializer.js') continue
    const name = file.slice(0, -3)
    if (/V\d+alpha\d/.test(name)) continue
    const module = (await import(pathToFileURL(join(folder, file)).href)) as Record<string, { attributeTypeMap?: Attribute[] }>
    const attributes = module[name]?.attributeTypeMap
    if (!attributes) continue
    const declaration = readDeclaration(readFileSync(join(folder, `${name}.d.ts`), 'utf8'))
    const fields: Record<string, FieldSchema> = {}
    const texts: Record<string, string> = { '': declaration.description }
    for (const attribute of attributes) {
      const declared = declaration.fields.get(attribute.name)
      const field: FieldSchema = { type: parseType(attribute.type, attribute.format) }
      if (declared && !declared.optional) field.required = true
      fields[attribute.baseName] = field
      if (declared?.description) texts[attribute.baseName] = declared.description
    }
    models[name] = { fields }
    descriptions[name] = texts
  }
  return { models, descriptions }
}

interface Operation {
  method: string
  path: string
  type: string | undefined
}

function readOperations(file: string): Operation[] {
  const text = readFileSync(join(gen, 'apis', file), 'utf8')
  const split = text.indexOf('ApiResponseProcessor')
  const requests = text.slice(0, split)
  const responses = text.slice(split)
  const types = new Map<string, string>()
  for (const match of responses.matchAll(/async (\w+)WithHttpInfo\(response\) \{([\s\S]*?)\n {4}\}/g)) {
    const type = /deserialize\(.*?, "(\w+)", ""\)/.exec(match[2] ?? '')
    if (match[1] && type?.[1]) types.set(match[1], type[1])
  }
  const operations: Operation[] = []
  for (const match of requests.matchAll(/ {4}async (\w+)\([^)]*\) \{([\s\S]*?)\n {4}\}/g)) {
    const [, name = '', body = ''] = match
    const path = /const localVarPath = '([^']+)'/.exec(body)?.[1]
    const method = /HttpMethod\.(\w+)/.exec(body)?.[1]
    if (path && method) operations.push({ method, path, type: types.get(name) })
  }
  return operations
}

/** The resources that the client's paths name, of versions that upstream serves by default. */
function readResources(models: Record<string, ModelSchema>): ResourceFact[] {
  const resources = new Map<string, ResourceFact>()
  for (const file of readdirSync(join(gen, 'apis')).sort()) {
    if (!file.endsWith('.js')) continue
    for (const { method, path, type } of readOperations(file)) {
      const match = /^\/(?:api|apis\/([^/]+))\/(v\d+)\/(?:(namespaces)\/\{namespace\}\/)?([a-z]+)(?:\/\{name\}(?:\/([a-z]+)(?:\/\{path\})?)?)?$/.exec(path)
      if (!match) continue
      const [, group = '', version = '', namespaces, plural = '', subresource] = match
      if (plural === 'watch' || (plural === 'namespaces' && namespaces)) continue
      const id = `${group}/${version}/${plural}`
      let resource = resources.get(id)
      if (!resource) {
        resource = { group, version, plural, kind: '', model: '', namespaced: false, subresources: {}, verbs: [] }
        resources.set(id, resource)
      }
      if (namespaces) resource.namespaced = true
      if (subresource) {
        resource.subresources[subresource] ??= ''
        if (type && models[type]) resource.subresources[subresource] = type
        continue
      }
      const named = path.endsWith('{name}')
      const verb = { GET: named ? 'get' : 'list', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: named ? 'delete' : 'deletecollection' }[method]
      if (verb && !resource.verbs.includes(verb)) resource.verbs.push(verb)
      if (type && (verb === 'create' || verb === 'get') && models[type]) resource.model = type
    }
  }
  for (const resource of resources.values()) {
    if (resource.verbs.includes('list')) resource.verbs.push('watch')
    resource.verbs.sort()
    resource.kind = resource.model.replace(/^[A-Z][a-z0-9]*?V\d+(?=[A-Z])|^V\d+(?=[A-Z])/, '')
  }
  return [...resources.values()].filter((resource) => resource.model !== '')
}

/**
 * Interfaces of all models. A kind that is stored gets the metadata it has once stored (`StoredMeta`,
 * with a namespace where it has one), and its spec is there; templates and drafts keep the loose form.
 */
function renderTypes(models: Record<string, ModelSchema>, resources: ResourceFact[]): string {
  const stored = new Map(resources.filter((resource) => resource.verbs.includes('get')).map((resource) => [resource.model, resource]))
  const lines = ['// Generated by src/machinery/schema/generate.ts. Not committed.', "import type { NamespacedMeta, StoredMeta } from '../../object.ts'"]
  for (const [name, model] of Object.entries(models)) {
    lines.push(`export interface ${name} {`)
    const resource = stored.get(name)
    for (const [field, schema] of Object.entries(model.fields)) {
      const isMeta = resource && field === 'metadata'
      const type = isMeta ? (resource.namespaced ? 'NamespacedMeta' : 'StoredMeta') : typeScriptOf(schema.type)
      const required = schema.required || isMeta || (resource && field === 'spec')
      lines.push(`  ${/^\w+$/.test(field) ? field : `'${field}'`}${required ? '' : '?'}: ${type}`)
    }
    lines.push('}')
  }
  return `${lines.join('\n')}\n`
}

const { models, descriptions } = await readModels()
const resources = readResources(models)
const file: SchemaFile = { models, resources }
mkdirSync(out, { recursive: true })
writeFileSync(join(out, 'schema.json'), JSON.stringify(file))
writeFileSync(join(out, 'descriptions.json'), JSON.stringify(descriptions))
writeFileSync(join(out, 'types.ts'), renderTypes(models, resources))
console.log(`schema: ${Object.keys(models).length} models, ${file.resources.length} resources`)
