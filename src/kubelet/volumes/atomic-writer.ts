/**
 * Writes the files of a volume so that a reader sees all of the old or all of the new: they stand in a directory
 * with a time in its name, `..data` points at it, each visible name points through `..data`, and an update
 * swaps that one link. The layout is upstream's: programs watch `..data`.
 */
import { join } from 'node:path'
import type { NodeFiles } from '../files/node-files.ts'
import { giveTree } from './group-ownership.ts'

export interface PayloadFile {
  data: Uint8Array
  mode: number
  /** The user whose file it is; root's when absent. */
  owner?: number
}

/** By path within the volume. */
export type Payload = ReadonlyMap<string, PayloadFile>

const link = '..data'
const newLink = '..data_tmp'

export async function writeAtomically(files: NodeFiles, directory: string, payload: Payload, now: number, group?: number): Promise<void> {
  await files.makeDirectory(directory, 0o777)
  const current = await files.readLink(join(directory, link))
  if (current !== undefined && (await isSame(files, join(directory, current), payload))) return
  const name = `..${new Date(now).toISOString().slice(0, 19).replace('T', '_').replace(/[-:]/g, '_')}.${await nextNumber(files, directory)}`
  const next = join(directory, name)
  await files.makeDirectory(next, 0o755)
  for (const [path, { data, mode, owner }] of payload) {
    await files.writeFile(join(next, path), data, mode)
    if (owner !== undefined) await files.setOwner(join(next, path), owner, -1)
  }
  if (group !== undefined) await giveTree(files, directory, group, 'read')
  await files.remove(join(directory, newLink))
  await files.symbolicLink(name, join(directory, newLink))
  await files.rename(join(directory, newLink), join(directory, link))
  await linkNames(files, directory, payload)
  // The version before, and what a crash in the middle may have left.
  for (const other of await files.list(directory)) if (/^\.\.\d/.test(other) && other !== name) await files.remove(join(directory, other))
}

async function linkNames(files: NodeFiles, directory: string, payload: Payload): Promise<void> {
  const wanted = new Set([...payload.keys()].map((path) => path.split('/')[0] ?? path))
  for (const name of wanted) {
    if ((await files.readLink(join(directory, name))) === undefined) await files.symbolicLink(join(link, name), join(directory, name))
  }
  for (const name of await files.list(directory)) if (!name.startsWith('..') && !wanted.has(name)) await files.remove(join(directory, name))
}

async function isSame(files: NodeFiles, directory: string, payload: Payload): Promise<boolean> {
  for (const [path, { data }] of payload) {
    const there = await files.readFile(join(directory, path))
    if (!there?.equals(data)) return false
  }
  return (await count(files, directory)) === payload.size
}

async function count(files: NodeFiles, directory: string): Promise<number> {
  let total = 0
  for (const name of await files.list(directory)) {
    const path = join(directory, name)
    total += (await files.kindOf(path)) === 'directory' ? await count(files, path) : 1
  }
  return total
}

/** Tells apart versions that were written in the same second. */
async function nextNumber(files: NodeFiles, directory: string): Promise<number> {
  const numbers = (await files.list(directory)).map((name) => Number(/^\.\..*\.(\d+)$/.exec(name)?.[1] ?? 0))
  return Math.max(0, ...numbers) + 1
}

/** Throws for a path that would leave the volume. */
export function checkPath(path: string): string {
  if (path.startsWith('/') || path.split('/').includes('..') || path.startsWith('..')) throw new Error(`invalid path ${JSON.stringify(path)}`)
  return path
}
