import { readFileSync, readlinkSync } from 'node:fs'

/** Names this life of the cluster's namespaces: the same after its server was started again in them, another after they ended. */
export function sessionName(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? ''
  const stat = readFileSync('/proc/1/stat', 'utf8')
  // The command in parentheses may hold spaces; what follows begins with the third field, and the 22nd is the start.
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  return `${boot}-${namespace}-${started}`
}
