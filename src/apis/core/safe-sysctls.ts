/**
 * Kernel parameters that a pod may set anywhere: they are its namespaces' own, and touch no other pod nor the node
 * (KEP-34). Their names with dots.
 */
export const safeSysctls: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
])

/**
 * A name may be written with slashes in place of dots, so that dots can be in a part of it. Which of both separates is
 * told by what stands first.
 */
export function dottedSysctl(name: string): string {
  const first = /[./]/.exec(name)?.[0]
  return first === '/' ? name.replace(/[./]/g, (mark) => (mark === '/' ? '.' : '/')) : name
}
