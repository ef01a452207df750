/**
 * Names of images, read as Docker reads them: `postgres:15` is `docker.io/library/postgres:15`. What does not parse
 * is `InvalidImageName`.
 */
import { RuntimeError } from '../../runtime.ts'

export interface ImageReference {
  /** Host and port: `docker.io`, `localhost:5000`. */
  registry: string
  /** `library/postgres`. */
  repository: string
  tag: string | undefined
  /** `sha256:…` */
  digest: string | undefined
}

const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`)
const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?'
const registryPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`)
const tagPattern = /^\w[\w.-]{0,127}$/
const digestPattern = /^sha256:[a-f0-9]{64}$/
const otherDigestPattern = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/

const invalid = (text: string, why: string) => new RuntimeError('InvalidImageName', `couldn't parse image name "${text}": invalid reference format${why}`)

/** Without tag and digest, the tag is `latest`. */
export function parseReference(text: string): ImageReference {
  let rest = text
  let digest: string | undefined
  const at = rest.indexOf('@')
  if (at >= 0) {
    digest = rest.slice(at + 1)
    rest = rest.slice(0, at)
    if (!digestPattern.test(digest)) throw invalid(text, otherDigestPattern.test(digest) ? ': unsupported digest algorithm' : '')
  }
  let tag: string | undefined
  const colon = rest.lastIndexOf(':')
  if (colon > rest.lastIndexOf('/')) {
    tag = rest.slice(colon + 1)
    rest = rest.slice(0, colon)
    if (!tagPattern.test(tag)) throw invalid(text, '')
  }
  const { registry, repository } = splitName(rest)
  if (!registryPattern.test(registry)) throw invalid(text, '')
  if (!repositoryPattern.test(repository)) throw invalid(text, repository.toLowerCase() === repository ? '' : ': repository name must be lowercase')
  if (repository.length + registry.length > 255) throw invalid(text, ': repository name must not be more than 255 characters')
  return { registry, repository, tag: tag ?? (digest ? undefined : 'latest'), digest }
}

/** The first component is a registry when it looks like a host: with a dot, a port, upper case, or `localhost`. */
function splitName(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  if (first === '' || !(/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first))
    return { registry: 'docker.io', repository: name.includes('/') ? name : `library/${name}` }
  const repository = name.slice(slash + 1)
  if (first === 'docker.io' || first === 'index.docker.io')
    return { registry: 'docker.io', repository: repository.includes('/') ? repository : `library/${repository}` }
  return { registry: first, repository }
}

export const repositoryName = (reference: ImageReference): string => `${reference.registry}/${reference.repository}`

/** The whole name, under which the image is kept: `docker.io/library/postgres:15`. A digest overrules a tag. */
export function canonicalName(reference: ImageReference): string {
  return reference.digest ? `${repositoryName(reference)}@${reference.digest}` : `${repositoryName(reference)}:${reference.tag ?? 'latest'}`
}

/** As people write it: without `docker.io/library/`. */
export function familiarName(canonical: string): string {
  return canonical.replace(/^docker\.io\/(library\/)?/, '')
}
