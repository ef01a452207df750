/** One entry of a map or set in the proxy's nftables table. Sets have an empty value. */
export interface Element {
  container: Container
  key: string
  value: string
}

/** Maps and sets of the table, with their nftables types: see `base-rules.ts` for what each is for. */
export const containers = {
  services: 'map services { type ipv4_addr . inet_proto . inet_service : verdict; }',
  endpoints: 'map endpoints { type ipv4_addr . inet_proto . inet_service . mark : ipv4_addr . inet_service; }',
  'no-endpoints': 'map no-endpoints { type ipv4_addr . inet_proto . inet_service : verdict; }',
  nodeports: 'map nodeports { type inet_proto . inet_service : verdict; }',
  'nodeport-endpoints': 'map nodeport-endpoints { type inet_proto . inet_service . mark : ipv4_addr . inet_service; }',
  'no-endpoints-nodeports': 'map no-endpoints-nodeports { type inet_proto . inet_service : verdict; }',
  'sticky-slots': 'map sticky-slots { type ipv4_addr . inet_proto . inet_service . mark : mark; }',
  'sticky-live': 'map sticky-live { type ipv4_addr . inet_proto . inet_service . mark : verdict; }',
  'sticky-endpoints': 'map sticky-endpoints { type ipv4_addr . inet_proto . inet_service . mark : ipv4_addr . inet_service; }',
  'sticky-nodeport-slots': 'map sticky-nodeport-slots { type inet_proto . inet_service . mark : mark; }',
  'sticky-nodeport-live': 'map sticky-nodeport-live { type inet_proto . inet_service . mark : verdict; }',
  'sticky-nodeport-endpoints': 'map sticky-nodeport-endpoints { type inet_proto . inet_service . mark : ipv4_addr . inet_service; }',
  firewall: 'map firewall { type ipv4_addr . inet_proto . inet_service : verdict; }',
  'cluster-ips': 'set cluster-ips { type ipv4_addr; }',
  'local-endpoints': 'set local-endpoints { type ipv4_addr . ipv4_addr; }',
} as const

export type Container = keyof typeof containers
