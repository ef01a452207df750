/** What form of answer a client accepts (upstream: content negotiation with `as`, `g`, `v` parameters). */
import { notAcceptable } from '../../machinery/errors.ts'

export type Format = 'json' | 'yaml'

export interface Accepted {
  format: Format
  /** The kind to transform to, all of meta.k8s.io/v1 (or v1beta1, which looks the same). */
  as: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList' | undefined
  /** `v1` or `v1beta1` of {@link as}. */
  asVersion: string
}

const plain: Accepted = { format: 'json', as: undefined, asVersion: 'v1' }
const acceptable = ['application/json', 'application/yaml']
const transformations = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'])

interface Clause {
  type: string
  parameters: Map<string, string>
  quality: number
}

/** The best form this server has; throws 406 when there is none. What is not kept, such as a review, has no other form than its own. */
export function negotiate(accept: string | undefined, isTransformable = true): Accepted {
  if (!accept || accept === 'application/json' || accept === '*/*') return plain
  for (const { type, parameters } of parseClauses(accept)) {
    const format = formatOf(type)
    if (!format) continue
    const as = parameters.get('as')
    if (as === undefined) return { ...plain, format }
    const version = parameters.get('v') ?? 'v1'
    if (isTransformable && transformations.has(as) && parameters.get('g') === 'meta.k8s.io' && (version === 'v1' || version === 'v1beta1'))
      return { format, as: as as Accepted['as'], asVersion: version }
  }
  throw notAcceptable(acceptable)
}

function formatOf(type: string): Format | undefined {
  switch (type) {
    case 'application/json':
    case '*/*':
    case 'application/*':
      return 'json'
    case 'application/yaml':
    case 'text/yaml':
    case 'application/x-yaml':
      return 'yaml'
    default:
      return undefined
  }
}

function parseClauses(accept: string): Clause[] {
  const clauses = accept.split(',').map((text): Clause => {
    const [type = '', ...rest] = text.split(';').map((part) => part.trim())
    const parameters = new Map<string, string>()
    for (const part of rest) {
      const [name = '', value = ''] = part.split('=')
      parameters.set(name.toLowerCase(), value)
    }
    return { type: type.toLowerCase(), parameters, quality: Number(parameters.get('q') ?? 1) }
  })
  return clauses.filter((clause) => clause.quality > 0).sort((a, b) => b.quality - a.quality)
}
