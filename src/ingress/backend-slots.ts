import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { addressAt, parseCidr } from '../network/cidr.ts'
import type { RunCommand } from '../network/command.ts'
import type { Upstream } from './model.ts'

/**
 * Endpoints change often, and a reload of nginx closes idle connections of clients, who may be sending just then.
 * So nginx is configured with slots in place of endpoints: addresses of a block of its own, which the kernel
 * translates to endpoints. A change of endpoints is a change of a map, and nginx never notices.
 *
 * Each upstream has an address and each of its slots a port; slot n leads to endpoint n modulo their number.
 */
export interface SlotOptions {
  /** Addresses that exist nowhere: the benchmark block by default. */
  block?: string
  /** Where upstreams without endpoints lead. */
  unavailable: { address: string; port: number }
  /** Which upstream has which address, over restarts: workers that still run must not reach another's endpoints. */
  stateFile: string
  run: RunCommand
}

const table = 'skiff-ingress'

/** Divides evenly among 1 to 6 endpoints, and nearly so among more. */
const slotUnit = 60

export function slotCount(endpoints: number): number {
  return slotUnit * Math.max(1, Math.ceil(endpoints / slotUnit))
}

export class BackendSlots {
  readonly #options: SlotOptions
  readonly #block: string
  readonly #indexes: Map<string, number>
  readonly #counts = new Map<string, number>()
  #loaded: Map<string, string> | undefined

  constructor(options: SlotOptions) {
    this.#options = options
    this.#block = options.block ?? '198.18.0.0/16'
    this.#indexes = readIndexes(options.stateFile)
  }

  /** The addresses of an upstream's slots, for nginx. Only more endpoints than ever before change their number. */
  servers(upstream: Upstream): string[] {
    const count = Math.max(slotCount(upstream.endpoints.length), this.#counts.get(upstream.name) ?? 0)
    this.#counts.set(upstream.name, count)
    const address = this.#address(upstream.name)
    return Array.from({ length: count }, (_, slot) => `${address}:${slot + 1}`)
  }

  /** Lets the slots lead to these endpoints. What is loaded is loaded before nginx hears of new upstreams. */
  async load(upstreams: readonly Upstream[]): Promise<boolean> {
    const wanted = new Map<string, string>()
    const { unavailable } = this.#options
    const nowhere = `${unavailable.address} . ${unavailable.port}`
    for (const upstream of upstreams) {
      this.servers(upstream).forEach((server, slot) => {
        const endpoint = upstream.endpoints[slot % Math.max(upstream.endpoints.length, 1)]
        wanted.set(server.replace(':', ' . '), endpoint ? `${endpoint.address} . ${endpoint.port}` : nowhere)
      })
    }
    // Old workers may still ask for an upstream that is gone.
    for (const key of this.#loaded?.keys() ?? []) if (!wanted.has(key)) wanted.set(key, nowhere)
    const script = this.#loaded ? difference(this.#loaded, wanted) : this.#whole(wanted)
    if (script === '') return false
    try {
      if (!this.#loaded) await this.#route()
      await this.#options.run('nft', ['-f', '-'], script)
      this.#loaded = wanted
    } catch (error) {
      this.#loaded = undefined
      throw error
    }
    return true
  }

  #whole(wanted: Map<string, string>): string {
    return `table ip ${table}
delete table ip ${table}
table ip ${table} {
  map slots { type ipv4_addr . inet_service : ipv4_addr . inet_service; }
  chain output {
    type nat hook output priority -110; policy accept;
    ip daddr ${this.#block} meta l4proto tcp dnat ip to ip daddr . tcp dport map @slots
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${this.#block} masquerade
  }
}
${command(
  'add',
  [...wanted].map(([key, value]) => `${key} : ${value}`),
)}`
  }

  /** The block is this machine's own, so that nothing for it can leave. Endpoints see the node as the one who asks. */
  async #route(): Promise<void> {
    await this.#options.run('ip', ['route', 'replace', 'local', this.#block, 'dev', 'lo'])
  }

  #address(name: string): string {
    let index = this.#indexes.get(name)
    if (index === undefined) {
      index = Math.max(0, ...this.#indexes.values()) + 1
      this.#indexes.set(name, index)
      writeIndexes(this.#options.stateFile, this.#indexes)
    }
    const block = parseCidr(this.#block)
    return addressAt(block, 1 + (index % (block.size - 2)))
  }
}

function difference(loaded: Map<string, string>, wanted: Map<string, string>): string {
  const changed = [...wanted].filter(([key, value]) => loaded.get(key) !== value)
  const replaced = changed.filter(([key]) => loaded.has(key)).map(([key]) => key)
  return (
    command('delete', replaced) +
    command(
      'add',
      changed.map(([key, value]) => `${key} : ${value}`),
    )
  )
}

function command(verb: string, elements: string[]): string {
  return elements.length === 0 ? '' : `${verb} element ip ${table} slots { ${elements.join(', ')} }\n`
}

function readIndexes(file: string): Map<string, number> {
  try {
    return new Map(Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>))
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return new Map()
    throw error
  }
}

function writeIndexes(file: string, indexes: Map<string, number>): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.new`, JSON.stringify(Object.fromEntries(indexes)))
  renameSync(`${file}.new`, file)
}
