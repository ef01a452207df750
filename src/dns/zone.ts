import { addressBytes } from './address-bytes.ts'
import { type Answer, anyType, type DnsRecord, type RecordType, rcodes, typeNumbers } from './record.ts'
import { endpointTtl, serviceTtl } from './service-records.ts'

export interface ZoneOptions {
  /** `cluster.local` */
  domain: string
  /** Whether a namespace is there: pods of one that is not have no name. */
  hasNamespace(name: string): boolean
}

/** A chain of aliases longer than this is a loop. */
const maxAliases = 8

/**
 * The cluster's names, as records of its Services under the name of their owner. Answers for the domain with
 * authority, and for addresses of Services and named endpoints in the reverse domains.
 */
export class Zone {
  readonly #domain: string
  readonly #hasNamespace: ZoneOptions['hasNamespace']
  readonly #records = new Map<string, DnsRecord[]>()
  /** Names that exist because something lies below them: how much does. */
  readonly #above = new Map<string, number>()
  readonly #owned = new Map<string, DnsRecord[]>()
  #serial = 1

  constructor({ domain, hasNamespace }: ZoneOptions) {
    this.#domain = domain
    this.#hasNamespace = hasNamespace
    const nameserver = `kube-dns.kube-system.svc.${domain}`
    this.set('', [
      { name: `dns-version.${domain}`, ttl: serviceTtl, type: 'TXT', text: '1.1.0' },
      { name: domain, ttl: serviceTtl, type: 'NS', target: nameserver },
    ])
  }

  /** Puts an owner's records in place of those it had. */
  set(owner: string, records: DnsRecord[]): void {
    for (const record of this.#owned.get(owner) ?? []) this.#remove(record)
    for (const record of records) this.#add(record)
    if (records.length > 0) this.#owned.set(owner, records)
    else this.#owned.delete(owner)
    this.#serial++
  }

  has(owner: string): boolean {
    return this.#owned.has(owner)
  }

  /** Whether this zone has the last word on a name. */
  isAuthoritative(name: string): boolean {
    return name === this.#domain || name.endsWith(`.${this.#domain}`)
  }

  /** Undefined for names that are not ours to answer. `name` is lower case. */
  answer(name: string, type: number): Answer | undefined {
    if (!this.isAuthoritative(name)) {
      const known = this.#records.has(name) && (name.endsWith('.in-addr.arpa') || name.endsWith('.ip6.arpa'))
      return known ? this.#found(this.#matching(name, type)) : undefined
    }
    const answers: DnsRecord[] = []
    let at = name
    for (let aliases = 0; aliases <= maxAliases; aliases++) {
      const alias = this.#records.get(at)?.find((record) => record.type === 'CNAME')
      if (alias?.type !== 'CNAME' || type === typeNumbers.CNAME) {
        answers.push(...this.#matching(at, type))
        if (answers.length > 0) return this.#found(answers)
        return this.#nothing(this.#exists(at) ? rcodes.noError : rcodes.nameError)
      }
      answers.push(alias)
      at = alias.target
      if (!this.isAuthoritative(at)) return { ...this.#found(answers), continueAt: at }
    }
    return { rcode: rcodes.serverFailure, answers: [], authority: [], additional: [] }
  }

  soa(): DnsRecord {
    return {
      name: this.#domain,
      // How long "there is no such name" may be kept: short, since names come with every deployment.
      ttl: endpointTtl,
      type: 'SOA',
      primary: `kube-dns.kube-system.svc.${this.#domain}`,
      mailbox: `hostmaster.${this.#domain}`,
      serial: this.#serial,
      refresh: 7200,
      retry: 1800,
      expire: 86400,
      minimum: endpointTtl,
    }
  }

  #found(answers: DnsRecord[]): Answer {
    const additional = new Map<string, DnsRecord>()
    for (const record of answers) {
      if (record.type !== 'SRV' && record.type !== 'NS') continue
      for (const address of this.#records.get(record.target) ?? []) {
        if (address.type === 'A' || address.type === 'AAAA') additional.set(`${address.name} ${address.address}`, address)
      }
    }
    return { rcode: rcodes.noError, answers, authority: [], additional: [...additional.values()] }
  }

  #nothing(rcode: Answer['rcode']): Answer {
    return { rcode, answers: [], authority: [this.soa()], additional: [] }
  }

  #matching(name: string, type: number): DnsRecord[] {
    if (name === this.#domain && type === typeNumbers.SOA) return [this.soa()]
    const records = this.#records.get(name) ?? this.#podRecords(name)
    return type === anyType ? records : records.filter((record) => typeNumbers[record.type satisfies RecordType] === type)
  }

  #exists(name: string): boolean {
    if (this.#records.has(name) || this.#above.has(name) || this.#podRecords(name).length > 0) return true
    const [first, second, ...rest] = this.#labels(name)
    // The two branches, and a namespace below one, exist even while they are empty.
    if (second === undefined) return first === undefined || first === 'svc' || first === 'pod'
    return rest.length === 0 && (second === 'svc' || second === 'pod') && this.#hasNamespace(first ?? '')
  }

  /** `10-244-0-7.default.pod.cluster.local`: the address is in the name. */
  #podRecords(name: string): DnsRecord[] {
    const [dashed = '', namespace = '', branch, ...rest] = this.#labels(name)
    if (branch !== 'pod' || rest.length > 0 || !this.#hasNamespace(namespace)) return []
    const four = dashed.replaceAll('-', '.')
    if (addressBytes(four)?.length === 4) return [{ name, ttl: endpointTtl, type: 'A', address: four }]
    const six = dashed.replaceAll('-', ':')
    return addressBytes(six)?.length === 16 ? [{ name, ttl: endpointTtl, type: 'AAAA', address: six }] : []
  }

  /** Labels below the domain. */
  #labels(name: string): string[] {
    return name === this.#domain ? [] : name.slice(0, -this.#domain.length - 1).split('.')
  }

  #add(record: DnsRecord): void {
    const records = this.#records.get(record.name)
    if (records) records.push(record)
    else this.#records.set(record.name, [record])
    for (const name of this.#parents(record.name)) this.#above.set(name, (this.#above.get(name) ?? 0) + 1)
  }

  #remove(record: DnsRecord): void {
    const rest = (this.#records.get(record.name) ?? []).filter((other) => other !== record)
    if (rest.length > 0) this.#records.set(record.name, rest)
    else this.#records.delete(record.name)
    for (const name of this.#parents(record.name)) {
      const count = (this.#above.get(name) ?? 1) - 1
      if (count > 0) this.#above.set(name, count)
      else this.#above.delete(name)
    }
  }

  *#parents(name: string): Iterable<string> {
    if (!this.isAuthoritative(name)) return
    for (let at = name.indexOf('.'); at >= 0; at = name.indexOf('.', at + 1)) {
      const parent = name.slice(at + 1)
      if (!this.isAuthoritative(parent)) return
      yield parent
    }
  }
}
