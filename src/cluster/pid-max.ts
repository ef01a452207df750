/**
 * How many processes the machine can have at once. Read outside: since Linux 6.14 each PID namespace says a limit of
 * its own, and a new one the highest there can be, though those of the namespaces around it hold as well.
 */
import { readFileSync } from 'node:fs'

export const machinePidMax = (): number => Number.parseInt(readFileSync('/proc/sys/kernel/pid_max', 'utf8'), 10)
