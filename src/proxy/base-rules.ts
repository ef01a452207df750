import { masqueradeMark } from './balance-chain.ts'
import { containers } from './element.ts'

export interface ProxyNetwork {
  /** Blocks of all pods of the cluster. */
  clusterCIDRs: string[]
  /** Block of the Services: an address in it that belongs to none is refused. */
  serviceCIDR?: string
}

/**
 * What is the same whatever Services there are: a packet's destination is looked up once, in `services` or
 * `nodeports`, and goes to a chain that picks among the endpoints (see `balance-chain.ts`). Destinations without
 * an endpoint are refused where the packet would be delivered or forwarded: TCP by a reset, because an ICMP error that
 * arrives while connect() still holds the socket only counts as a hint, and the client would try again a second later.
 */
export function baseRules(table: string, { clusterCIDRs, serviceCIDR }: ProxyNetwork): string {
  return `table ip ${table}
delete table ip ${table}
table ip ${table} {
${Object.values(containers)
  .map((declaration) => `  ${declaration}`)
  .join('\n')}
  map affinity { type ipv4_addr . ipv4_addr . inet_proto . inet_service : mark; size 262144; flags dynamic,timeout; }
  map nodeport-affinity { type ipv4_addr . inet_proto . inet_service : mark; size 262144; flags dynamic,timeout; }
  set pod-blocks { type ipv4_addr; flags interval; auto-merge; elements = { ${clusterCIDRs.join(', ')} }; }

  chain dispatch {
    ip daddr @cluster-ips ip saddr != @pod-blocks fib saddr type != local ct mark set ct mark or ${masqueradeMark}
    ip daddr . meta l4proto . th dport vmap @services
    fib daddr type local meta l4proto . th dport vmap @nodeports
  }
  chain refuse-without-endpoint {
    ip daddr . meta l4proto . th dport vmap @no-endpoints
    ip daddr @cluster-ips goto refuse${serviceCIDR ? `\n    ip daddr ${serviceCIDR} goto refuse` : ''}
  }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject
  }

  chain nat-prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    jump dispatch
  }
  chain nat-output {
    type nat hook output priority -100; policy accept;
    jump dispatch
  }
  chain nat-postrouting {
    type nat hook postrouting priority srcnat - 10; policy accept;
    ct mark and ${masqueradeMark} == ${masqueradeMark} masquerade fully-random
    ct status dnat ip saddr . ip daddr @local-endpoints masquerade fully-random
  }
  chain firewall-prerouting {
    type filter hook prerouting priority dstnat - 10; policy accept;
    ct state new ip daddr . meta l4proto . th dport vmap @firewall
  }
  chain filter-input {
    type filter hook input priority filter; policy accept;
    ct state new fib daddr type local meta l4proto . th dport vmap @no-endpoints-nodeports
    ct state new ip daddr . meta l4proto . th dport vmap @no-endpoints
  }
  chain filter-forward {
    type filter hook forward priority filter; policy accept;
    ct state new jump refuse-without-endpoint
  }
  chain filter-output {
    type filter hook output priority filter; policy accept;
    ct state new jump refuse-without-endpoint
    ct state new fib daddr type local meta l4proto . th dport vmap @no-endpoints-nodeports
  }
}
`
}
