import type { Definitions } from './definitions.ts'
import type { DescribedResource, DescribedSubresource, GroupVersionKind } from './described-resource.ts'
import type { Dialect, Json } from './dialect.ts'
import { type OperationSpec, operation } from './operation.ts'
import { capital, operationId, tagOf, versionIdentifier } from './operation-names.ts'
import {
  collectionDeleteParameters,
  deleteParameters,
  execParameters,
  listParameters,
  logParameters,
  nameParameter,
  namespaceParameter,
  type Parameter,
  parameterOf,
  patchParameters,
  pathParameter,
  portForwardParameters,
  pretty,
  proxyParameters,
  writeParameters,
} from './parameters.ts'
import { patchDefinition } from './special-definitions.ts'

const deleteOptions = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions'
const status = 'io.k8s.apimachinery.pkg.apis.meta.v1.Status'

/** Writes the paths of resources, and by it finds which definitions the document needs. */
export class Paths {
  readonly #dialect: Dialect
  readonly #definitions: Definitions
  readonly #paths: Json = {}

  constructor(dialect: Dialect, definitions: Definitions) {
    this.#dialect = dialect
    this.#definitions = definitions
  }

  all(): Json {
    return Object.fromEntries(Object.entries(this.#paths).sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** What lists the resources of a group version. */
  addGroupVersion(group: string, version: string): void {
    const list = this.#definitions.ref('io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList')
    const get = operation(this.#dialect, {
      id: `get${versionIdentifier(group, version)}APIResources`,
      tag: tagOf(group, version),
      description: 'the resources of this version',
      answers: [200],
      body: list,
    })
    this.#paths[`${root(group, version)}/`] = { get }
  }

  addResource(resource: DescribedResource): void {
    if (resource.verbs.includes('patch')) this.#ref(patchDefinition)
    const { group, version, kind, plural, namespaced } = resource
    const base = root(group, version)
    const collection = namespaced ? `${base}/namespaces/{namespace}/${plural}` : `${base}/${plural}`
    const item = `${collection}/{name}`
    const place = namespaced ? [namespaceParameter] : []
    const has = (verb: string) => resource.verbs.includes(verb)
    const object = this.#definitions.ofModel(resource.model)
    const list = has('list') ? this.#definitions.listOf(resource.model) : object
    const id = (verb: string, more = '') => operationId(verb, group, version, namespaced, kind, more)
    const make = (spec: Omit<OperationSpec, 'tag' | 'kind'>) =>
      operation(this.#dialect, { ...spec, tag: tagOf(group, version), kind: { group, version, kind } })
    const reads = { answers: [200], body: list, streams: true }

    this.#add(collection, [...place, pretty], {
      get: has('list') && make({ id: id('list'), action: 'list', description: `list objects of kind ${kind}`, parameters: listParameters, ...reads }),
      post:
        has('create') &&
        make({
          id: id('create'),
          action: 'post',
          description: `create an object of kind ${kind}`,
          parameters: writeParameters,
          request: object,
          answers: [200, 201, 202],
          body: object,
        }),
      delete:
        has('deletecollection') &&
        make({
          id: id('delete', 'Collection'),
          action: 'deletecollection',
          description: `delete objects of kind ${kind}`,
          parameters: collectionDeleteParameters,
          request: this.#ref(deleteOptions),
          answers: [200],
          body: this.#ref(status),
        }),
    })
    if (has('get') || has('update') || has('delete')) {
      const deleted = deletedBody(resource) ? object : this.#ref(status)
      this.#add(item, [nameParameter(kind), ...place, pretty], {
        get: has('get') && make({ id: id('read'), action: 'get', description: `read an object of kind ${kind}`, answers: [200], body: object }),
        put:
          has('update') &&
          make({
            id: id('replace'),
            action: 'put',
            description: `replace an object of kind ${kind}`,
            parameters: writeParameters,
            request: object,
            answers: [200, 201],
            body: object,
          }),
        delete:
          has('delete') &&
          make({
            id: id('delete'),
            action: 'delete',
            description: `delete an object of kind ${kind}`,
            parameters: deleteParameters,
            request: this.#ref(deleteOptions),
            answers: [200, 202],
            body: deleted,
          }),
        patch:
          has('patch') &&
          make({
            id: id('patch'),
            action: 'patch',
            description: `change an object of kind ${kind}`,
            parameters: patchParameters,
            patches: this.#patchesOf(resource),
            answers: [200, 201],
            body: object,
          }),
      })
    }
    if (namespaced && has('list')) {
      const everywhere = operationId('list', group, version, false, kind, 'ForAllNamespaces')
      this.#add(`${base}/${plural}`, [...listParameters, pretty].sort(byName), {
        get: make({ id: everywhere, action: 'list', description: `list objects of kind ${kind} in all namespaces`, ...reads }),
      })
    }
    if (has('watch')) this.#addWatches(resource, make)
    for (const subresource of resource.subresources) this.#addSubresource(resource, subresource, item, place)
  }

  /** The paths that watched before `?watch=true` did; kept for old clients. */
  #addWatches({ group, version, kind, plural, namespaced, verbs }: DescribedResource, make: (spec: Omit<OperationSpec, 'tag' | 'kind'>) => Json): void {
    const base = `${root(group, version)}/watch`
    const collection = namespaced ? `${base}/namespaces/{namespace}/${plural}` : `${base}/${plural}`
    const place = namespaced ? [namespaceParameter] : []
    const event = this.#ref('io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent')
    const watch = (id: string, action: string) =>
      make({ id, action, description: `watch objects of kind ${kind}; deprecated: list with watch=true instead`, answers: [200], body: event, streams: true })
    this.#add(collection, [...listParameters, ...place, pretty].sort(byName), {
      get: watch(operationId('watch', group, version, namespaced, kind, 'List'), 'watchlist'),
    })
    if (verbs.includes('get')) {
      this.#add(`${collection}/{name}`, [...listParameters, nameParameter(kind), ...place, pretty].sort(byName), {
        get: watch(operationId('watch', group, version, namespaced, kind), 'watch'),
      })
    }
    if (namespaced) {
      this.#add(`${base}/${plural}`, [...listParameters, pretty].sort(byName), {
        get: watch(operationId('watch', group, version, false, kind, 'ListForAllNamespaces'), 'watchlist'),
      })
    }
  }

  #addSubresource(resource: DescribedResource, subresource: DescribedSubresource, item: string, place: Parameter[]): void {
    const { group, version } = resource
    const kind = kindOf(resource, subresource)
    const path = `${item}/${subresource.name}`
    const parent = [nameParameter(kind.kind), ...place]
    const tag = tagOf(group, version)
    const name = capital(subresource.name === 'portforward' ? 'portforward' : subresource.name)
    const id = (verb: string, more = '') => `${operationId(verb, group, version, resource.namespaced, resource.kind)}${name}${more}`
    if (kind.kind.endsWith('Options')) {
      const parameters = connectParameters[subresource.name] ?? []
      const operations = (more: string) =>
        Object.fromEntries(
          methodsOf(subresource).map((method) => {
            const connect: OperationSpec = {
              id: id('connect', more),
              tag,
              kind,
              action: 'connect',
              description: `connect ${method.toUpperCase()} requests to ${subresource.name} of ${resource.kind}`,
              answers: [200],
              text: true,
            }
            return [method, operation(this.#dialect, { ...connect, id: connectId(connect.id, group, version, method) })]
          }),
        )
      this.#add(path, [...parameters, ...parent].sort(byName), operations(''))
      if (subresource.name === 'proxy') this.#add(`${path}/{path}`, [...parameters, ...parent, pathParameter].sort(byName), operations('WithPath'))
      return
    }
    const make = (spec: Omit<OperationSpec, 'tag' | 'kind'>) => operation(this.#dialect, { ...spec, tag, kind })
    if (subresource.name === 'log') {
      const get = make({ id: id('read'), action: 'get', description: `read the log of a ${resource.kind}`, answers: [200], text: true })
      this.#add(path, [...logParameters, ...parent, pretty].sort(byName), { get })
      return
    }
    const has = (verb: string) => subresource.verbs.includes(verb)
    const body = this.#definitions.ofModel(subresource.model ?? resource.model)
    const what = `${subresource.name} of an object of kind ${resource.kind}`
    const onlyCreates = has('create')
    this.#add(path, [...(onlyCreates ? writeParameters : []), ...parent, pretty].sort(byName), {
      get: has('get') && make({ id: id('read'), action: 'get', description: `read ${what}`, answers: [200], body }),
      put:
        has('update') &&
        make({ id: id('replace'), action: 'put', description: `replace ${what}`, parameters: writeParameters, request: body, answers: [200, 201], body }),
      post: has('create') && make({ id: id('create'), action: 'post', description: `create ${what}`, request: body, answers: [200, 201, 202], body }),
      patch:
        has('patch') &&
        make({
          id: id('patch'),
          action: 'patch',
          description: `change ${what}`,
          parameters: patchParameters,
          patches: this.#patchesOf(resource),
          answers: [200, 201],
          body,
        }),
    })
  }

  #patchesOf({ model }: DescribedResource): 'all' | 'not strategic' {
    return this.#definitions.isCustom(model) ? 'not strategic' : 'all'
  }

  #add(path: string, parameters: Parameter[], operations: Record<string, Json | false>): void {
    const kept = Object.fromEntries(Object.entries(operations).filter(([, one]) => one !== false))
    if (Object.keys(kept).length === 0) return
    this.#paths[path] = { ...kept, ...(parameters.length ? { parameters: parameters.map((one) => parameterOf(this.#dialect, one)) } : {}) }
  }

  #ref(definition: string): Json {
    return this.#definitions.ref(definition)
  }
}

const byName = (a: Parameter, b: Parameter) => (a.name < b.name ? -1 : 1)

const root = (group: string, version: string): string => (group === '' ? `/api/${version}` : `/apis/${group}/${version}`)

/** These answer a delete with the object as it was, which is a habit of theirs. */
function deletedBody({ plural, group }: DescribedResource): boolean {
  const answersObject = [
    '/persistentvolumeclaims',
    '/persistentvolumes',
    '/pods',
    '/podtemplates',
    '/resourcequotas',
    '/serviceaccounts',
    '/services',
    'storage.k8s.io/csidrivers',
    'storage.k8s.io/csinodes',
    'storage.k8s.io/storageclasses',
    'storage.k8s.io/volumeattachments',
    'storage.k8s.io/volumeattributesclasses',
    'resource.k8s.io/deviceclasses',
    'resource.k8s.io/resourceclaims',
    'resource.k8s.io/resourceclaimtemplates',
    'resource.k8s.io/resourceslices',
  ]
  return answersObject.includes(`${group}/${plural}`)
}

function kindOf(resource: DescribedResource, { name, kind, group, version }: DescribedSubresource): GroupVersionKind {
  if (kind === undefined) {
    const connects: Record<string, string> = { exec: 'ExecOptions', attach: 'AttachOptions', portforward: 'PortForwardOptions', proxy: 'ProxyOptions' }
    const options = connects[name]
    if (options) return { group: resource.group, kind: `${resource.kind}${options}`, version: resource.version }
  }
  return { group: group ?? resource.group, kind: kind ?? resource.kind, version: version ?? resource.version }
}

const connectParameters: Record<string, Parameter[]> = {
  exec: execParameters,
  attach: execParameters.filter(({ name }) => name !== 'command'),
  portforward: portForwardParameters,
  proxy: proxyParameters,
}

/** Upstream connects every method for proxies, and these two for streams. */
const methodsOf = ({ name }: DescribedSubresource): string[] =>
  name === 'proxy' ? ['delete', 'get', 'head', 'options', 'patch', 'post', 'put'] : ['get', 'post']

const connectId = (id: string, group: string, version: string, method: string): string =>
  id.replace(`connect${versionIdentifier(group, version)}`, `connect${versionIdentifier(group, version)}${capital(method)}`)
