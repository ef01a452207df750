import { readFileSync } from 'node:fs'
import * as os from 'node:os'

/** Facts of the machine that its Node object tells. */
export interface MachineInfo {
  architecture: string
  operatingSystem: string
  kernelVersion: string
  osImage: string
  machineID: string
  systemUUID: string
  bootID: string
  cpus: number
  memoryBytes: number
  diskBytes: number
}

/** What every kubelet puts on its Node object. */
export const machineLabels = (nodeName: string, { operatingSystem, architecture }: MachineInfo): Record<string, string> => ({
  'kubernetes.io/hostname': nodeName,
  'kubernetes.io/os': operatingSystem,
  'kubernetes.io/arch': architecture,
  'beta.kubernetes.io/os': operatingSystem,
  'beta.kubernetes.io/arch': architecture,
})

const read = (path: string) => {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    // Not every machine has each of these files, and none is needed.
    return ''
  }
}

const architectures: Record<string, string> = { x64: 'amd64', arm64: 'arm64', arm: 'arm', ia32: '386', ppc64: 'ppc64le', s390x: 's390x' }

/** Measures the machine this runs on; `diskBytes` is asked of the runtime later. */
export function readMachineInfo(): MachineInfo {
  const machineID = read('/etc/machine-id')
  return {
    architecture: architectures[os.arch()] ?? os.arch(),
    operatingSystem: os.platform(),
    kernelVersion: os.release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(read('/etc/os-release'))?.[1] ?? os.type(),
    machineID,
    systemUUID: read('/sys/class/dmi/id/product_uuid') || machineID,
    bootID: read('/proc/sys/kernel/random/boot_id'),
    cpus: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    diskBytes: 0,
  }
}
