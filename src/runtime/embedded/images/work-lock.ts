/**
 * One worker at a time for the same piece of work, among processes too. A lock that nobody renews is broken; what
 * an owner of which there is one at a time left when it was killed, the next one breaks at once.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../../machinery/clock.ts'
import { namesIn, readText } from '../json-file.ts'
import { fileAge } from './file-age.ts'

const renewEvery = 5_000
const deadAfter = 30_000

interface LockedStore {
  directory: string
  clock: Clock
  owner?: string
}

export async function withWorkLock<T>(store: LockedStore, name: string, work: () => Promise<T>): Promise<T> {
  const directory = join(store.directory, 'locks')
  mkdirSync(directory, { recursive: true })
  const path = join(directory, name)
  const text = `${store.owner ?? ''}\n${store.clock.uuid()}`
  while (!take(path, text)) await store.clock.sleep(50)
  // Whoever slept so long that another has broken the lock leaves that one's alone.
  const isMine = () => readText(path) === text
  const renewal = store.clock.every(renewEvery, () => {
    if (isMine()) writeFileSync(path, text)
  })
  try {
    return await work()
  } finally {
    renewal.cancel()
    if (isMine()) rmSync(path, { force: true })
  }
}

/** For who adds a layer; see {@link LayerStore}. */
export function withLayerLock<T>(store: LockedStore, diffId: string, work: () => Promise<T>): Promise<T> {
  return withWorkLock(store, diffId.replace(':', '-'), work)
}

/** Before the owner does anything. */
export function breakLocksOf(directory: string, owner: string): void {
  const locks = join(directory, 'locks')
  for (const name of namesIn(locks)) if (readText(join(locks, name))?.startsWith(`${owner}\n`)) rmSync(join(locks, name), { force: true })
}

function take(path: string, text: string): boolean {
  const age = fileAge(path)
  if (age !== Number.POSITIVE_INFINITY && age > deadAfter) rmSync(path, { force: true })
  try {
    writeFileSync(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
