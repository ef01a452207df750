/** Devices: the few that every container has are made by crun; here are the pod's own, and all of them for a privileged one. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerConfig } from '../../runtime.ts'
import { isMissing } from '../json-file.ts'
import type { OciDevice, OciDeviceRule } from './oci.ts'

/** `/dev` entries that are not the host's to give: they are the container's own mounts. */
const own = new Set(['pts', 'shm', 'mqueue', 'fd', 'console', 'ptmx', 'tty', 'stdin', 'stdout', 'stderr', 'hugepages'])

const standard: OciDeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...[
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 1],
    [5, 2],
  ].map(([major, minor]): OciDeviceRule => ({ allow: true, type: 'c', major, minor, access: 'rwm' })),
  { allow: true, type: 'c', major: 136, access: 'rwm' },
]

export function devicesOf(config: ContainerConfig): { devices: OciDevice[]; rules: OciDeviceRule[] } {
  const wanted = config.devices.map((one) => ({ device: deviceAt(one.hostPath, one.containerPath), permissions: one.permissions }))
  const devices = wanted.flatMap(({ device }) => device ?? [])
  if (config.security.privileged) {
    const paths = new Set(devices.map((device) => device.path))
    return { devices: [...devices, ...allDevices('/dev').filter((device) => !paths.has(device.path))], rules: [{ allow: true, access: 'rwm' }] }
  }
  const rules = wanted.flatMap(({ device, permissions }): OciDeviceRule[] =>
    device ? [{ allow: true, type: device.type, major: device.major, minor: device.minor, access: permissions || 'rwm' }] : [],
  )
  return { devices, rules: [...standard, ...rules] }
}

function allDevices(directory: string, depth = 0): OciDevice[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (depth === 0 && own.has(entry.name)) return []
    if (entry.isDirectory()) return depth < 4 ? allDevices(path, depth + 1) : []
    return entry.isCharacterDevice() || entry.isBlockDevice() ? (deviceAt(path, path) ?? []) : []
  })
}

function deviceAt(hostPath: string, containerPath: string): OciDevice | undefined {
  try {
    const { rdev, mode, uid, gid } = statSync(hostPath)
    const type = (mode & 0o170000) === 0o060000 ? 'b' : 'c'
    return { path: containerPath, type, ...numbersOf(rdev), fileMode: mode & 0o7777, uid, gid }
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** The C library's packing of device numbers. */
function numbersOf(rdev: number): { major: number; minor: number } {
  const value = BigInt(rdev)
  return { major: Number(((value >> 8n) & 0xfffn) | ((value >> 32n) & 0xfffff000n)), minor: Number((value & 0xffn) | ((value >> 12n) & 0xffffff00n)) }
}
