/** Files of the kernel that a container must not see, or not write, unless the pod says otherwise. */
import type { ContainerSecurity } from '../../runtime.ts'

const masked = [
  ...['/proc/asound', '/proc/acpi', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list', '/proc/timer_stats'],
  ...['/proc/sched_debug', '/proc/scsi', '/sys/firmware', '/sys/devices/virtual/powercap'],
]
const readonly = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

export function protectedPaths(security: Pick<ContainerSecurity, 'privileged' | 'maskedPaths' | 'readonlyPaths'>): {
  maskedPaths: string[]
  readonlyPaths: string[]
} {
  if (security.privileged) return { maskedPaths: [], readonlyPaths: [] }
  return { maskedPaths: security.maskedPaths ?? masked, readonlyPaths: security.readonlyPaths ?? readonly }
}
