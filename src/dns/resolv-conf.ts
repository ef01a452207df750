import { isIP } from 'node:net'
import type { Upstream } from './forwarder.ts'

/** The servers that a `resolv.conf` names: at most three, as the C library takes them. */
export function nameservers(resolvConf: string, except: readonly string[] = []): Upstream[] {
  const found: Upstream[] = []
  for (const line of resolvConf.split('\n')) {
    const address = /^\s*nameserver\s+(\S+)/.exec(line)?.[1]
    if (address && isIP(address) && !except.includes(address)) found.push({ address, port: 53 })
  }
  return found.slice(0, 3)
}
