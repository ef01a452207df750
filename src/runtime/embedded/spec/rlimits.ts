import type { HostLimits } from './host-limits.ts'

const openFiles = 1_048_576

/** As many open files as other runtimes give, where the host lets limits be raised; else what this process has. */
export const rlimits = (host: HostLimits) => (host.raisesLimits ? [{ type: 'RLIMIT_NOFILE', hard: openFiles, soft: openFiles }] : [])
