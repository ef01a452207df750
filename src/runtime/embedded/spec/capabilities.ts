/** Capabilities of a container's process: the defaults of container runtimes, changed by the pod, bounded by the host. */
const all = [
  ...['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP', 'LINUX_IMMUTABLE', 'NET_BIND_SERVICE'],
  ...['NET_BROADCAST', 'NET_ADMIN', 'NET_RAW', 'IPC_LOCK', 'IPC_OWNER', 'SYS_MODULE', 'SYS_RAWIO', 'SYS_CHROOT', 'SYS_PTRACE', 'SYS_PACCT', 'SYS_ADMIN'],
  ...['SYS_BOOT', 'SYS_NICE', 'SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'MKNOD', 'LEASE', 'AUDIT_WRITE', 'AUDIT_CONTROL', 'SETFCAP', 'MAC_OVERRIDE'],
  ...['MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF', 'CHECKPOINT_RESTORE'],
]

const defaults = [
  ...['CHOWN', 'DAC_OVERRIDE', 'FSETID', 'FOWNER', 'MKNOD', 'NET_RAW', 'SETGID', 'SETUID', 'SETFCAP', 'SETPCAP', 'NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL'],
  'AUDIT_WRITE',
]

export interface CapabilityWish {
  privileged: boolean
  add: string[]
  drop: string[]
}

/** What the host can give, from the bit mask of `/proc/self/status` (`CapBnd`). */
export function hostCapabilities(mask: string): string[] {
  const bits = BigInt(`0x${mask}`)
  return all.filter((_, bit) => (bits >> BigInt(bit)) & 1n)
}

/** `refused` are capabilities that were asked for by name and that the host does not have. */
export function capabilitiesOf(wish: CapabilityWish, host: string[]): { granted: string[]; refused: string[] } {
  const plain = (name: string) => name.toUpperCase().replace(/^CAP_/, '')
  const add = wish.add.map(plain)
  const drop = wish.drop.map(plain)
  const granted = new Set(wish.privileged || add.includes('ALL') ? all : drop.includes('ALL') ? [] : defaults)
  for (const name of add) if (name !== 'ALL') granted.add(name)
  if (!wish.privileged) for (const name of drop) granted.delete(name)
  const has = new Set(host)
  return {
    granted: [...granted].filter((name) => has.has(name)).map((name) => `CAP_${name}`),
    refused: add.filter((name) => name !== 'ALL' && !has.has(name)),
  }
}
