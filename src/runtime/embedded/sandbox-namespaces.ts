/**
 * The namespaces of a pod, held by files instead of a process: bind mounts of `/proc/…/ns/…` cost no memory, and
 * outlive the server as they live in the mount namespace around it. All is made by one program start.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type PodSandboxConfig, RuntimeError } from '../runtime.ts'
import { command, type RunProgram } from './command.ts'
import type { SandboxNamespaces } from './spec/namespaces.ts'

/** As other runtimes: any process may bind low ports and ping. */
const networkDefaults = { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' }

/** Inside the new namespaces: host name, loopback, then pairs of a kernel parameter's file and value. */
const enterScript = `
[ -z "$1" ] || echo "$1" >/proc/sys/kernel/hostname
[ -z "$2" ] || ip link set lo up
shift 2
while [ $# -gt 1 ]; do echo "$2" >"$1" || exit 1; shift 2; done
`
const script = `
shm=$1; shift
[ -z "$shm" ] || mount -t tmpfs -o nosuid,nodev,noexec,mode=1777,size=65536k shm "$shm" || exit 1
[ $# -eq 0 ] || exec unshare "$@"
`

export function namespacePaths(directory: string, config: Pick<PodSandboxConfig, 'network' | 'ipc'>): SandboxNamespaces & { shm: string } {
  const pod = config.network !== 'node'
  return {
    network: pod ? join(directory, 'net') : undefined,
    // The host name belongs to the network: a pod on the node's network has the node's name.
    uts: pod ? join(directory, 'uts') : undefined,
    ipc: config.ipc === 'node' ? undefined : join(directory, 'ipc'),
    shm: config.ipc === 'node' ? '/dev/shm' : join(directory, 'shm'),
  }
}

export async function makeNamespaces(directory: string, config: PodSandboxConfig, run: RunProgram): Promise<void> {
  const { network, uts, ipc, shm } = namespacePaths(directory, config)
  mkdirSync(directory, { recursive: true })
  for (const file of [network, uts, ipc]) if (file) writeFileSync(file, '')
  if (ipc) mkdirSync(shm, { recursive: true })
  const sysctls = { ...(network ? networkDefaults : {}), ...config.sysctls }
  const parameters = Object.entries(sysctls).flatMap(([name, value]) => [parameterFile(name, { network, ipc }), value])
  const kinds = [...(network ? [`--net=${network}`] : []), ...(uts ? [`--uts=${uts}`] : []), ...(ipc ? [`--ipc=${ipc}`] : [])]
  const inside = ['--', 'sh', '-c', enterScript, 'sh', uts ? config.hostname : '', network ? 'up' : '', ...parameters]
  await command('sh', ['-c', script, 'sh', ipc ? shm : '', ...(kinds.length > 0 ? [...kinds, ...inside] : [])], {}, run)
}

/** Only what belongs to a namespace of the pod: everything else would change the node. */
function parameterFile(name: string, own: { network: string | undefined; ipc: string | undefined }): string {
  const path = name.includes('/') ? name : name.replaceAll('.', '/')
  const ofNetwork = path.startsWith('net/')
  const ofIpc = /^(kernel\/(sem|shm|msg)[a-z_]*|fs\/mqueue\/[a-z_]+)$/.test(path)
  if (path.includes('..') || !((ofNetwork && own.network) || (ofIpc && own.ipc)))
    throw new RuntimeError('InvalidArgument', `sysctl ${JSON.stringify(name)} is not in a namespace of the pod`)
  return `/proc/sys/${path}`
}

/** Idempotent. */
export async function removeNamespaces(directory: string, run: RunProgram): Promise<void> {
  const mounted = mountPointsBelow(directory)
  if (mounted.length > 0) await command('umount', ['-l', ...mounted], {}, run)
  rmSync(directory, { recursive: true, force: true })
}

export function mountPointsBelow(directory: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .map((point) => point.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))))
    .filter((point) => point.startsWith(`${directory}/`))
}
