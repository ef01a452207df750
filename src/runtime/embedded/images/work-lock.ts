/** One worker at a time for the same piece of work, among processes too. A lock that nobody renews is broken. */
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../../machinery/clock.ts'
import { fileAge } from './file-age.ts'

const renewEvery = 5_000
const deadAfter = 30_000

export async function withWorkLock<T>(store: { directory: string; clock: Clock }, name: string, work: () => Promise<T>): Promise<T> {
  const directory = join(store.directory, 'locks')
  mkdirSync(directory, { recursive: true })
  const path = join(directory, name)
  while (!take(path)) await store.clock.sleep(50)
  const renewal = store.clock.every(renewEvery, () => {
    const now = (performance.timeOrigin + performance.now()) / 1000
    utimesSync(path, now, now)
  })
  try {
    return await work()
  } finally {
    renewal.cancel()
    rmSync(path, { force: true })
  }
}

function take(path: string): boolean {
  const age = fileAge(path)
  if (age !== Number.POSITIVE_INFINITY && age > deadAfter) rmSync(path, { force: true })
  try {
    writeFileSync(path, '', { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
