import { type Chain, chainName, chainsFor } from './balance-chain.ts'
import { baseRules, type ProxyNetwork } from './base-rules.ts'
import type { Container, Element } from './element.ts'
import type { ServiceRules } from './service-rules.ts'

interface Claim {
  owner: string
  value: string
}

/** What an element was and is to be; undefined where there is none. */
interface Difference {
  container: Container
  key: string
  from: string | undefined
  to: string | undefined
}

/**
 * The table as it is to be, and how it differs from what is loaded. Several Services may claim the same element
 * (an endpoint of two, an external address taken twice): the first one holds it until it lets go.
 */
export class Table {
  readonly name: string
  readonly #network: ProxyNetwork
  readonly #claims = new Map<Container, Map<string, Claim[]>>()
  readonly #owned = new Map<string, Element[]>()
  readonly #chains = new Map<string, string[]>()
  /** Since the last script: what stood there then. */
  readonly #before = new Map<Container, Map<string, string | undefined>>()
  readonly #newChains: string[] = []

  constructor(name: string, network: ProxyNetwork) {
    this.name = name
    this.#network = network
  }

  get elementCount(): number {
    let count = 0
    for (const elements of this.#claims.values()) count += elements.size
    return count
  }

  /** Puts an owner's rules in place of those it had. */
  set(owner: string, rules: ServiceRules): void {
    for (const element of this.#owned.get(owner) ?? []) this.#release(owner, element)
    for (const element of rules.elements) this.#claim(owner, element)
    if (rules.elements.length > 0) this.#owned.set(owner, rules.elements)
    else this.#owned.delete(owner)
    for (const chain of rules.chains) this.#need(chain)
  }

  /** Everything, for a table of which nothing is known: replaces it in one transaction. */
  full(): string {
    const elements = new Map<Container, string[]>()
    for (const [container, claims] of this.#claims) {
      const lines: string[] = []
      for (const [key, [first]] of claims) if (first) lines.push(written(key, first.value))
      if (lines.length > 0) elements.set(container, lines)
    }
    this.#settle()
    return `${baseRules(this.name, this.#network)}${this.#chainBlock([...this.#chains.keys()])}${this.#commands('add', elements)}`
  }

  /** What has to change since the last script; empty when nothing has. */
  difference(): string {
    const removed = new Map<Container, string[]>()
    const added = new Map<Container, string[]>()
    for (const { container, key, from, to } of this.#differences()) {
      if (from !== undefined) push(removed, container, key)
      if (to !== undefined) push(added, container, written(key, to))
    }
    const chains = this.#chainBlock(this.#newChains)
    this.#settle()
    return `${chains}${this.#commands('delete', removed)}${this.#commands('add', added)}`
  }

  *#differences(): Iterable<Difference> {
    for (const [container, keys] of this.#before) {
      for (const [key, from] of keys) {
        const to = this.#claims.get(container)?.get(key)?.[0]?.value
        if (from !== to) yield { container, key, from, to }
      }
    }
  }

  #claim(owner: string, { container, key, value }: Element): void {
    this.#remember(container, key)
    const elements = this.#claims.get(container) ?? new Map<string, Claim[]>()
    this.#claims.set(container, elements)
    const claims = elements.get(key)
    if (!claims) elements.set(key, [{ owner, value }])
    else if (!claims.some((claim) => claim.owner === owner)) claims.push({ owner, value })
  }

  #release(owner: string, { container, key }: Element): void {
    this.#remember(container, key)
    const elements = this.#claims.get(container)
    const claims = elements?.get(key)?.filter((claim) => claim.owner !== owner) ?? []
    if (claims.length > 0) elements?.set(key, claims)
    else elements?.delete(key)
  }

  #remember(container: Container, key: string): void {
    const keys = this.#before.get(container) ?? new Map<string, string | undefined>()
    this.#before.set(container, keys)
    if (!keys.has(key)) keys.set(key, this.#claims.get(container)?.get(key)?.[0]?.value)
  }

  /** Chains stay once loaded: there are few, and the next Service of that many endpoints uses them again. */
  #need(chain: Chain): void {
    if (this.#chains.has(chainName(chain))) return
    for (const { name, rules } of chainsFor(chain)) {
      if (this.#chains.has(name)) continue
      this.#chains.set(name, rules)
      this.#newChains.push(name)
    }
  }

  #chainBlock(names: string[]): string {
    if (names.length === 0) return ''
    const chains = names.map((name) => `  chain ${name} {\n${(this.#chains.get(name) ?? []).map((rule) => `    ${rule}\n`).join('')}  }\n`)
    return `table ip ${this.name} {\n${chains.join('')}}\n`
  }

  #commands(verb: 'add' | 'delete', elements: Map<Container, string[]>): string {
    let text = ''
    for (const [container, keys] of elements) text += `${verb} element ip ${this.name} ${container} { ${keys.join(', ')} }\n`
    return text
  }

  #settle(): void {
    this.#before.clear()
    this.#newChains.length = 0
  }
}

function written(key: string, value: string): string {
  return value === '' ? key : `${key} : ${value}`
}

function push(map: Map<Container, string[]>, container: Container, text: string): void {
  const list = map.get(container)
  if (list) list.push(text)
  else map.set(container, [text])
}
