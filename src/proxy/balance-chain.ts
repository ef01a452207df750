import { createHash } from 'node:crypto'

/**
 * Chains that pick an endpoint. There is one for each number of endpoints (and kind), not for each Service:
 * what differs by Service is looked up in maps by the address, protocol and port that the packet was sent to.
 * A chain is named after what it does, so its rules follow from its name alone.
 */

/** How a frontend is addressed: by an address and port, or by a port of any address of the node. */
export type Frontend = 'ip' | 'nodeport'

/** Local endpoints of a frontend stand beside all of them, this far up. */
export const localSlots = 0x10000

/** Set on connections whose source must become the node's. */
export const masqueradeMark = 0x4000

export interface Balance {
  frontend: Frontend
  /** How many endpoints there are to choose from. */
  count: number
  local: boolean
  /** Seconds that a client stays with its endpoint; absent without session affinity. */
  affinity: number | undefined
}

export type Chain =
  | { kind: 'balance'; balance: Balance }
  /** From outside the cluster: the source becomes the node's, so that the answer comes back this way. */
  | { kind: 'external'; balance: Balance }
  /** From outside: only endpoints of this node, source unchanged; from inside the cluster: all. */
  | { kind: 'external-local'; local: Balance | undefined; all: Balance | undefined }
  | { kind: 'firewall'; frontend: string; ranges: string[] }

export function chainName(chain: Chain): string {
  switch (chain.kind) {
    case 'balance':
      return balanceName(chain.balance)
    case 'external':
      return `external-${balanceName(chain.balance)}`
    case 'external-local':
      return `external-${chain.local ? balanceName(chain.local) : 'none'}-or-${chain.all ? balanceName(chain.all) : 'none'}`
    case 'firewall':
      return `firewall-${createHash('sha256')
        .update(`${chain.frontend} ${chain.ranges.join(' ')}`)
        .digest('hex')
        .slice(0, 16)}`
  }
}

function balanceName({ frontend, count, local, affinity }: Balance): string {
  return `${frontend}-${count}${local ? '-local' : ''}${affinity === undefined ? '' : `-for-${affinity}`}`
}

export function hitName(frontend: Frontend, affinity: number): string {
  return `${frontend}-stay-${affinity}`
}

/** The chain and those that it goes to, in the order in which they must be loaded. */
export function chainsFor(chain: Chain): { name: string; rules: string[] }[] {
  const name = chainName(chain)
  switch (chain.kind) {
    case 'balance':
      return balanceChains(chain.balance)
    case 'external':
      return [...balanceChains(chain.balance), { name, rules: [markForMasquerade, `goto ${balanceName(chain.balance)}`] }]
    case 'external-local': {
      const { local, all } = chain
      return [
        ...(local ? balanceChains(local) : []),
        ...(all ? balanceChains(all) : []),
        {
          name,
          rules: [
            ...(all ? [`ip saddr @pod-blocks goto ${balanceName(all)}`, `fib saddr type local ${markForMasquerade} goto ${balanceName(all)}`] : []),
            local ? `goto ${balanceName(local)}` : 'drop',
          ],
        },
      ]
    }
    case 'firewall':
      return [{ name, rules: [...(chain.ranges.length > 0 ? [`ip saddr { ${chain.ranges.join(', ')} } return`] : []), 'drop'] }]
  }
}

const markForMasquerade = `ct mark set ct mark or ${masqueradeMark}`

function balanceChains({ frontend, count, local, affinity }: Balance): { name: string; rules: string[] }[] {
  const name = balanceName({ frontend, count, local, affinity })
  const key = frontend === 'ip' ? 'ip daddr . meta l4proto . th dport' : 'meta l4proto . th dport'
  const maps = frontend === 'ip' ? '' : 'nodeport-'
  const pick = `meta mark set numgen random mod ${count}${local ? ` offset ${localSlots}` : ''}`
  const translate = 'meta l4proto { tcp, udp, sctp } dnat ip to'
  if (affinity === undefined) {
    return [{ name, rules: [pick, `${translate} ${key} . meta mark map @${maps}endpoints`] }]
  }
  const client = `ip saddr . ${key}`
  const memory = `${maps}affinity`
  return [
    {
      name: hitName(frontend, affinity),
      rules: [`update @${memory} { ${client} timeout ${affinity}s : meta mark }`, `${translate} ${key} . meta mark map @sticky-${maps}endpoints`],
    },
    {
      name,
      rules: [
        'meta mark set 0',
        `meta mark set ${client} map @${memory}`,
        `${key} . meta mark vmap @sticky-${maps}live`,
        // The client is new, or its endpoint went: what is remembered of it is replaced.
        `delete @${memory} { ${client} : 0 }`,
        pick,
        `meta mark set ${key} . meta mark map @sticky-${maps}slots`,
        `goto ${hitName(frontend, affinity)}`,
      ],
    },
  ]
}
