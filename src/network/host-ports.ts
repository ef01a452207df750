import type { PortMapping } from '../runtime/runtime.ts'
import { type RunCommand, runCommand } from './command.ts'
import type { SandboxRecord } from './sandbox-records.ts'

/**
 * Ports of the node that lead to a pod. The whole table is small (the scheduler gives a port of a node to one
 * pod only), so each change loads it anew in one transaction; connections that stand are not touched by that.
 */
export class HostPorts {
  readonly #table: string
  readonly #run: RunCommand
  #loaded: string | undefined
  #turn: Promise<void> = Promise.resolve()

  constructor(bridge: string, run: RunCommand = runCommand) {
    this.#table = `skiff-hostports-${bridge}`
    this.#run = run
  }

  /** Loads the mappings of these sandboxes in place of the ones before. */
  load(records: SandboxRecord[]): Promise<void> {
    const rules = hostPortRules(this.#table, records)
    const turn = this.#turn.then(async () => {
      if (rules === this.#loaded) return
      await this.#run('nft', ['-f', '-'], rules)
      this.#loaded = rules
    })
    this.#turn = turn.catch(() => undefined)
    return turn
  }
}

export function hostPortRules(table: string, records: SandboxRecord[]): string {
  const any: string[] = []
  const one: string[] = []
  const self: string[] = []
  for (const record of records) {
    const mapped = record.hostPorts.filter((mapping) => mapping.hostPort > 0)
    for (const mapping of mapped) {
      const target = `${record.address} . ${mapping.containerPort}`
      const port = `${mapping.protocol.toLowerCase()} . ${mapping.hostPort}`
      if (isAny(mapping)) any.push(`${port} : ${target}`)
      else one.push(`${mapping.hostIP} . ${port} : ${target}`)
    }
    if (mapped.length > 0) self.push(`${record.address} . ${record.address}`)
  }
  const head = `table ip ${table}\ndelete table ip ${table}\n`
  if (any.length + one.length === 0) return head
  return `${head}table ip ${table} {
  map any { type inet_proto . inet_service : ipv4_addr . inet_service${elements(any)}; }
  map one { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service${elements(one)}; }
  set self { type ipv4_addr . ipv4_addr${elements(self)}; }
  chain ports {
    meta l4proto { tcp, udp, sctp } dnat ip to ip daddr . meta l4proto . th dport map @one
    meta l4proto { tcp, udp, sctp } dnat ip to meta l4proto . th dport map @any
  }
  chain prerouting {
    type nat hook prerouting priority -105; policy accept;
    fib daddr type local jump ports
  }
  chain output {
    type nat hook output priority -105; policy accept;
    fib daddr type local jump ports
  }
  chain postrouting {
    type nat hook postrouting priority 95; policy accept;
    ct status dnat ip saddr . ip daddr @self masquerade
  }
}
`
}

function isAny({ hostIP }: PortMapping): boolean {
  return hostIP === '' || hostIP === '0.0.0.0' || hostIP === '::'
}

function elements(list: string[]): string {
  return list.length === 0 ? '' : `; elements = { ${[...new Set(list)].join(', ')} }`
}
