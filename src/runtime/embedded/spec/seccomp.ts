/** The system call filter: the runtime's default, one from a file, or none. */
import { readFileSync } from 'node:fs'
import { type ContainerSecurity, RuntimeError } from '../../runtime.ts'
import type { HostLimits } from './host-limits.ts'
import type { OciSeccomp } from './oci.ts'
import { defaultProfile } from './seccomp-default.ts'

export function seccompOf(security: ContainerSecurity, granted: string[], host: HostLimits): OciSeccomp | undefined {
  const { seccomp } = security
  if (security.privileged || !host.seccomp || seccomp.type === 'Unconfined') return undefined
  if (!('path' in seccomp)) return defaultProfile(granted)
  try {
    return JSON.parse(readFileSync(seccomp.path, 'utf8')) as OciSeccomp
  } catch (error) {
    throw new RuntimeError('CreateContainerError', `cannot load seccomp profile "${seccomp.path}": ${error instanceof Error ? error.message : error}`)
  }
}
