/**
 * The node's file system, as far as the kubelet writes to it. `DiskFiles` is the real one; `NoFiles` keeps
 * nothing, for simulated nodes whose pods have no processes that could read.
 */
export interface NodeFiles {
  makeDirectory(path: string, mode?: number): Promise<void>
  /** Creates an empty file where there is none, so that it can be mounted. */
  touch(path: string, mode: number): Promise<void>
  /** Whole content at once: a reader never sees half of it. */
  writeFile(path: string, content: string | Uint8Array, mode: number): Promise<void>
  readFile(path: string): Promise<Buffer | undefined>
  /** The first or last bytes of a file; empty when there is none. */
  readPart(path: string, bytes: number, from: 'start' | 'end'): Promise<Buffer>
  /** Of the path itself, after following links; undefined when nothing is there. */
  kindOf(path: string): Promise<'file' | 'directory' | 'socket' | 'characterDevice' | 'blockDevice' | 'other' | undefined>
  /** With links followed. */
  realPath(path: string): Promise<string>
  list(path: string): Promise<string[]>
  remove(path: string): Promise<void>
  symbolicLink(target: string, path: string): Promise<void>
  readLink(path: string): Promise<string | undefined>
  rename(from: string, to: string): Promise<void>
  /** With the bits for set-group and the like. */
  modeOf(path: string): Promise<number>
  setMode(path: string, mode: number): Promise<void>
  /** Adds these bits to the mode. */
  addMode(path: string, bits: number): Promise<void>
  setGroup(path: string, group: number): Promise<void>
  setOwner(path: string, user: number, group: number): Promise<void>
  /** Space below a directory: allocated blocks, a file with several names once, nothing that is mounted there. */
  usage(path: string): Promise<{ bytes: number; inodes: number }>
  mountTmpfs(path: string, options: { sizeBytes?: number; mode: number }): Promise<void>
  /** Idempotent. */
  unmount(path: string): Promise<void>
  /** Mount points at or below `path`, deepest first. */
  mountsBelow(path: string): Promise<string[]>
  /** False when nothing is kept: contents need not be computed again when their sources change. */
  readonly keeps: boolean
}
