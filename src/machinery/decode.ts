/** Bodies to values: JSON and YAML, with the fields that stand twice when one asks. */
import { parseDocument } from 'yaml'
import { badRequest } from './errors.ts'
import { scanJson } from './json-scanner.ts'

export type MediaType = 'json' | 'yaml'

export interface DecodedBody {
  value: unknown
  /**
   * What strict decoding says of fields that stand twice, in upstream's words: `duplicate field "spec.replicas"`.
   * Only looked for when asked; the last one counts.
   */
  duplicates: string[]
}

const decoder = new TextDecoder()

/** Throws a 400 with the parser's message. `duplicates` costs a second reading of JSON: ask only under field validation. */
export function decodeBody(body: Uint8Array | string, media: MediaType, options: { duplicates?: boolean } = {}): DecodedBody {
  const text = typeof body === 'string' ? body : decoder.decode(body)
  // JSON is YAML, and parsing it as what it is is fifty times faster.
  if (media === 'json' || /^\s*[{[]/.test(text)) {
    const parsed = tryJson(text)
    if (parsed) return { value: parsed.value, duplicates: options.duplicates ? scanJson(text).duplicates : [] }
    if (media === 'json') throw badRequest(scanJson(text).error ?? 'invalid JSON')
  }
  return decodeYaml(text)
}

function tryJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    // The message of the engine is not upstream's; the caller makes that.
    return undefined
  }
}

/** YAML 1.1 as upstream reads it: `yes` and `on` are booleans, but dates and sexagesimal numbers are text. */
function decodeYaml(text: string): DecodedBody {
  const left = new Set(['timestamp', 'binary', 'omap', 'pairs', 'set', 'intTime', 'floatTime'])
  const document = parseDocument(text, {
    version: '1.1',
    uniqueKeys: false,
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !isLeft(tag, left)),
  })
  const [error] = document.errors
  if (error) throw badRequest(`error converting YAML to JSON: yaml: line ${error.linePos?.[0].line ?? 1}: ${error.message.split('\n')[0]}`)
  return { value: plain(document.toJS({ maxAliasCount: 1000 })), duplicates: yamlDuplicates(text) }
}

function isLeft(tag: { tag: string; format?: string }, left: Set<string>): boolean {
  return left.has(tag.tag.replace('tag:yaml.org,2002:', '')) || tag.format === 'TIME'
}

function yamlDuplicates(text: string): string[] {
  const document = parseDocument(text, { version: '1.1', uniqueKeys: true })
  return document.errors
    .filter((error) => error.code === 'DUPLICATE_KEY')
    .map((error) => `yaml: unmarshal errors:\n  line ${error.linePos?.[0].line ?? 1}: key ${keyAt(text, error.pos[0])} already set in map`)
}

const keyAt = (text: string, at: number): string => JSON.stringify(/^["']?([^"':\n]*)/.exec(text.slice(at))?.[1] ?? '')

/** Only what JSON has: numbers that JSON has not are null, other objects their text. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]))
  return value
}
