import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { NodeFiles } from './node-files.ts'

const run = promisify(execFile)

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ENOTDIR'

async function orMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** The mount table writes space, tab, newline and backslash in octal. */
const unescaped = (path: string) => path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

export class DiskFiles implements NodeFiles {
  readonly keeps = true
  #temporary = 0

  async makeDirectory(path: string, mode = 0o755): Promise<void> {
    const made = await fs.mkdir(path, { recursive: true })
    // The mode must not depend on the umask of who started us.
    if (made !== undefined) await fs.chmod(path, mode)
  }

  async touch(path: string, mode: number): Promise<void> {
    await fs.mkdir(dirname(path), { recursive: true })
    try {
      const file = await fs.open(path, 'wx', mode)
      await file.chmod(mode)
      await file.close()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }

  async writeFile(path: string, content: string | Uint8Array, mode: number): Promise<void> {
    const draft = `${path}.${process.pid}.${++this.#temporary}.tmp`
    await fs.mkdir(dirname(path), { recursive: true })
    await fs.writeFile(draft, content, { mode })
    await fs.chmod(draft, mode)
    await fs.rename(draft, path)
  }

  readFile = (path: string): Promise<Buffer | undefined> => orMissing(fs.readFile(path))

  async readPart(path: string, bytes: number, from: 'start' | 'end'): Promise<Buffer> {
    const file = await orMissing(fs.open(path, 'r'))
    if (!file) return Buffer.alloc(0)
    try {
      const { size } = await file.stat()
      const length = Math.min(size, bytes)
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from === 'start' ? 0 : size - length)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  }

  async kindOf(path: string) {
    const stat = await orMissing(fs.stat(path))
    if (!stat) return undefined
    if (stat.isDirectory()) return 'directory'
    if (stat.isFile()) return 'file'
    if (stat.isSocket()) return 'socket'
    if (stat.isCharacterDevice()) return 'characterDevice'
    return stat.isBlockDevice() ? 'blockDevice' : 'other'
  }

  realPath = (path: string): Promise<string> => fs.realpath(path)

  list = async (path: string): Promise<string[]> => (await orMissing(fs.readdir(path))) ?? []

  remove = (path: string): Promise<void> => fs.rm(path, { recursive: true, force: true })

  symbolicLink = (target: string, path: string): Promise<void> => fs.symlink(target, path)

  async readLink(path: string): Promise<string | undefined> {
    try {
      return await fs.readlink(path)
    } catch (error) {
      // Something that is not a link.
      if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'EINVAL') return undefined
      throw error
    }
  }

  rename = (from: string, to: string): Promise<void> => fs.rename(from, to)
  modeOf = async (path: string): Promise<number> => (await fs.stat(path)).mode & 0o7777
  setMode = (path: string, mode: number): Promise<void> => fs.chmod(path, mode)
  addMode = async (path: string, bits: number): Promise<void> => fs.chmod(path, (await this.modeOf(path)) | bits)
  setGroup = (path: string, group: number): Promise<void> => fs.lchown(path, -1, group)
  setOwner = (path: string, user: number, group: number): Promise<void> => fs.lchown(path, user, group)

  async usage(path: string): Promise<{ bytes: number; inodes: number }> {
    const seen = new Set<number>()
    const total = { bytes: 0, inodes: 0 }
    const top = await orMissing(fs.lstat(path))
    const walk = async (at: string): Promise<void> => {
      // What vanishes meanwhile uses nothing.
      const stat = await orMissing(fs.lstat(at))
      if (!stat || stat.dev !== top?.dev || seen.has(stat.ino)) return
      if (stat.nlink > 1 && !stat.isDirectory()) seen.add(stat.ino)
      total.bytes += stat.blocks * 512
      total.inodes++
      if (stat.isDirectory()) for (const name of await this.list(at)) await walk(join(at, name))
    }
    await walk(path)
    return total
  }

  async mountTmpfs(path: string, { sizeBytes, mode }: { sizeBytes?: number; mode: number }): Promise<void> {
    if ((await this.mountsBelow(path)).includes(path)) return
    await fs.mkdir(path, { recursive: true })
    await run('mount', ['-t', 'tmpfs', '-o', `mode=${mode.toString(8)}${sizeBytes === undefined ? '' : `,size=${sizeBytes}`}`, 'tmpfs', path])
  }

  async unmount(path: string): Promise<void> {
    if (!(await this.mountsBelow(path)).includes(path)) return
    await run('umount', ['-l', path])
  }

  async mountsBelow(path: string): Promise<string[]> {
    const table = await fs.readFile('/proc/self/mounts', 'utf8')
    return table
      .split('\n')
      .map((line) => unescaped(line.split(' ')[1] ?? ''))
      .filter((point) => point === path || point.startsWith(`${path}/`))
      .sort((a, b) => b.length - a.length)
  }
}
