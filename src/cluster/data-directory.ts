/**
 * Everything of a cluster that must survive lies under its data directory (design, rule 8). This file names what
 * lies where, and says whether a cluster is running over it.
 */
import { randomUUID } from 'node:crypto'
import { chmodSync, existsSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { UserError } from './user-error.ts'

/** Grows when an older Skiff could not read what a newer one left. */
const layoutVersion = 1

export interface DataDirectory {
  root: string
  /** The store: every object. */
  state: string
  /** The record of causes. */
  trace: string
  encryption: string
  pki: string
  /** The administrator's kubeconfig. */
  kubeconfig: string
  images: string
  volumes: string
  kubelet: string
  /** Further nodes of this machine, a directory each. */
  nodes: string
  logs: string
  /** A file system in memory, seen inside the cluster's namespaces alone. */
  run: string
}

/** What is known of a running cluster, in `cluster.json`. */
export interface RunningCluster {
  /** The first process (`unshare`), in the host's numbering. */
  pid: number
  /** Its start time in clock ticks since boot, to tell it from a later process of the same number. */
  startTime: string
  /** Eight hexadecimal digits; names the cgroup parent and the network devices. */
  id: string
  apiPort: number
  httpPort: number
  httpsPort: number
  context: string
  kubeconfig: string
}

export function dataDirectory(path: string): DataDirectory {
  const root = resolve(path)
  return {
    root,
    state: join(root, 'state.db'),
    trace: join(root, 'trace.db'),
    encryption: join(root, 'encryption.yaml'),
    pki: join(root, 'pki'),
    kubeconfig: join(root, 'admin.kubeconfig'),
    images: join(root, 'images'),
    volumes: join(root, 'volumes'),
    kubelet: join(root, 'kubelet'),
    nodes: join(root, 'nodes'),
    logs: join(root, 'logs'),
    run: join(root, 'run'),
  }
}

const layoutFile = (data: DataDirectory) => join(data.root, 'layout')

/** Makes what is missing; refuses what a newer version left, and what cannot be written. */
export function prepareDataDirectory(path: string): DataDirectory {
  const data = dataDirectory(path)
  const versionFile = layoutFile(data)
  // nginx takes it for a variable, even in the directory of its own configuration.
  if (data.root.includes('$'))
    throw new UserError(`the data directory ${data.root} has a $ in its name, which nginx cannot have: choose another with --data-dir`)
  try {
    if (existsSync(versionFile)) {
      const found = Number(readFileSync(versionFile, 'utf8'))
      if (found > layoutVersion)
        throw new UserError(`the data directory ${data.root} was made by a newer Skiff (layout ${found}): use that version, or another --data-dir`)
    }
    for (const directory of [data.root, data.pki, data.images, data.volumes, data.kubelet, data.logs, data.run]) makeDirectory(directory)
    chmodSync(data.root, 0o711)
    chmodSync(data.pki, 0o700)
    writeFileSync(versionFile, String(layoutVersion))
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(`the data directory ${data.root} cannot be used (${error instanceof Error ? error.message : error}): choose another with --data-dir`)
  }
  return data
}

/**
 * Under which name the components of this directory's server stand for election. It stays the same over restarts:
 * only one server runs over a directory, so whoever comes back under this name takes over from itself.
 */
export function electionIdentity(data: DataDirectory): string {
  const file = join(data.root, 'instance')
  if (!existsSync(file)) {
    writeFileSync(`${file}.new`, `skiff_${randomUUID()}`)
    renameSync(`${file}.new`, file)
  }
  return readFileSync(file, 'utf8')
}

/**
 * What it answers tells, whenever asked, whether the directory is still there and the one that it is now: another may have taken its place, somebody's
 * or one that we made ourselves by writing below it. Yes when it cannot be told: only what is surely gone is.
 */
export function rememberRoot(data: DataDirectory): () => boolean {
  const isPrepared = existsSync(layoutFile(data))
  // Held open, so that no other can have its number.
  const open = isPrepared ? openSync(data.root, 'r') : undefined
  return () => {
    if (open === undefined) return false
    try {
      const [ours, named] = [fstatSync(open), statSync(data.root)]
      return ours.nlink > 0 && ours.ino === named.ino && ours.dev === named.dev
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== 'ENOENT'
    }
  }
}

/** Like `mkdir -p`; Node's own never ends where the kernel says that a parent which is there is not (below /proc). */
function makeDirectory(path: string): void {
  if (existsSync(path)) return
  if (dirname(path) !== path) makeDirectory(dirname(path))
  try {
    mkdirSync(path)
  } catch (error) {
    // Another start was first.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

export function processStartTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command in parentheses may hold spaces; field 22 counts from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie has ended, and waits only for its parent to notice.
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    // No such process.
    return undefined
  }
}

/** The cluster that runs over this directory now, if one does. */
export function runningCluster(data: DataDirectory): RunningCluster | undefined {
  const known = lastCluster(data)
  return known && processStartTime(known.pid) === known.startTime ? known : undefined
}

/** What `cluster.json` says, whether or not it still runs. */
export function lastCluster(data: DataDirectory): RunningCluster | undefined {
  const file = join(data.root, 'cluster.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as RunningCluster) : undefined
}

export function rememberCluster(data: DataDirectory, cluster: RunningCluster): void {
  const file = join(data.root, 'cluster.json')
  writeFileSync(`${file}.new`, JSON.stringify(cluster, null, 2))
  renameSync(`${file}.new`, file)
}

export function forgetCluster(data: DataDirectory): void {
  rmSync(join(data.root, 'cluster.json'), { force: true })
}

/** What a stopped cluster leaves to a new one over its directory: its images, and its name, by which its cgroups are found. */
const kept = new Set(['images', 'layout', 'cluster.json'])

export function forgetAllButImages(data: DataDirectory): void {
  for (const name of readdirSync(data.root)) if (!kept.has(name)) rmSync(join(data.root, name), { recursive: true, force: true, maxRetries: 3 })
}
