/** What this host lets containers have. Read once: it does not change while a process lives. */
import { readFileSync } from 'node:fs'
import { hostCapabilities } from './capabilities.ts'

export interface HostLimits {
  capabilities: string[]
  /** The least `oom_score_adj` that a child may get. */
  leastOomScoreAdj: number
  /** Whether limits may be raised above those of this process. */
  raisesLimits: boolean
  seccomp: boolean
}

export function hostLimits(): HostLimits {
  const status = readFileSync('/proc/self/status', 'utf8')
  const capabilities = hostCapabilities(/^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0')
  const raisesLimits = capabilities.includes('SYS_RESOURCE')
  return {
    capabilities,
    raisesLimits,
    leastOomScoreAdj: raisesLimits ? -1000 : Number(readFileSync('/proc/self/oom_score_adj', 'utf8')),
    seccomp: /^Seccomp:/m.test(status),
  }
}
