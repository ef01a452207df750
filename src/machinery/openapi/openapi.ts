import { createHash } from 'node:crypto'
import type { Schema } from '../schema/schema.ts'
import { Definitions, type Descriptions } from './definitions.ts'
import type { DescribedResource, GroupVersionKind } from './described-resource.ts'
import { type Dialect, type Json, v2, v3 } from './dialect.ts'
import { Paths } from './paths.ts'

export interface OpenApiDocuments {
  /** All resources, as Swagger 2.0. */
  v2(resources: readonly DescribedResource[]): Json
  /** One group version, as OpenAPI 3.0. */
  v3(resources: readonly DescribedResource[], group: string, version: string): Json
  /** Changes with the schema. */
  readonly fingerprint: string
}

/** Makes the documents of a schema; each call makes one anew, so the caller keeps it. `descriptions` is only read when asked. */
export function openApiDocuments(schema: Schema, descriptions: () => Descriptions): OpenApiDocuments {
  let fingerprint: string | undefined
  return {
    v2: (resources) => {
      const { paths, definitions } = build(schema, descriptions(), v2, resources, resources)
      return {
        swagger: '2.0',
        info: { title: 'Kubernetes', version: 'unversioned' },
        paths,
        definitions,
        securityDefinitions: { BearerToken: bearer },
        security: [{ BearerToken: [] }],
      }
    },
    v3: (resources, group, version) => {
      const served = resources.filter((one) => one.group === group && one.version === version)
      const { paths, definitions } = build(schema, descriptions(), v3, resources, served)
      return {
        openapi: '3.0.0',
        info: { title: 'Kubernetes', version: 'unversioned' },
        paths,
        components: { schemas: definitions, securitySchemes: { BearerToken: bearer } },
      }
    },
    // It reads the whole schema, which a start has no need of.
    get fingerprint() {
      fingerprint ??= fingerprintOf(schema)
      return fingerprint
    },
  }
}

const bearer = { description: 'A token, as: Bearer TOKEN.', in: 'header', name: 'authorization', type: 'apiKey' }

function build(schema: Schema, descriptions: Descriptions, dialect: Dialect, all: readonly DescribedResource[], served: readonly DescribedResource[]) {
  const definitions = new Definitions(schema, descriptions, dialect, kinds(schema, all, served))
  const paths = new Paths(dialect, definitions)
  for (const versioned of new Set(served.map(({ group, version }) => JSON.stringify([group, version])))) {
    const [group, version] = JSON.parse(versioned) as [string, string]
    paths.addGroupVersion(group, version)
  }
  for (const resource of served) paths.addResource(resource)
  return { paths: paths.all(), definitions: definitions.all() }
}

const metaKinds = new Set(['DeleteOptions', 'WatchEvent'])
const coreMetaKinds = new Set(['Status', 'APIGroup', 'APIGroupList', 'APIResourceList', 'APIVersions'])

/** Which kinds a definition is the type of: those with kind and apiVersion, in the group that its package serves. */
function kinds(schema: Schema, all: readonly DescribedResource[], served: readonly DescribedResource[]): (definition: string) => GroupVersionKind[] {
  const groups = new Map<string, { group: string; version: string }>()
  for (const { model, group, version } of all) {
    const definition = schema.definitionOf(model)
    const [packageGroup, packageVersion] = (definition ?? '').split('.').slice(-3)
    // A resource may be served under another group than its type's (bindings, scales); the version tells.
    if (definition && packageVersion === version && sameGroup(packageGroup ?? '', group)) groups.set(packageOf(definition), { group, version })
  }
  const versions = [
    ...new Map([['/v1', { group: '', version: 'v1' }], ...served.map(({ group, version }) => [`${group}/${version}`, { group, version }] as const)]).values(),
  ]
  return (definition) => {
    const kind = definition.slice(definition.lastIndexOf('.') + 1)
    if (packageOf(definition) === 'io.k8s.apimachinery.pkg.apis.meta.v1') {
      if (metaKinds.has(kind)) return versions.map(({ group, version }) => ({ group, kind, version }))
      return coreMetaKinds.has(kind) ? [{ group: '', kind, version: 'v1' }] : []
    }
    const model = schema.modelOf(definition)
    if (model === undefined) return []
    const { fields } = schema.model(model)
    const serving = groups.get(packageOf(definition))
    if (!serving || !fields.has('kind') || !fields.has('apiVersion') || !fields.has('metadata')) return []
    return [{ group: serving.group, kind, version: serving.version }]
  }
}

const packageOf = (definition: string): string => definition.slice(0, definition.lastIndexOf('.'))
const sameGroup = (packageGroup: string, group: string): boolean => packageGroup === (group === '' ? 'core' : group.split('.')[0])

function fingerprintOf(schema: Schema): string {
  const hash = createHash('sha256')
  for (const model of schema.models().sort()) {
    hash.update(model)
    for (const [name, { structure, fact }] of schema.model(model).fields) hash.update(`${name} ${structure.kind} ${JSON.stringify(fact)}`)
  }
  return hash.digest('hex').slice(0, 32)
}
