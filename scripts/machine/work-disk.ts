/** The disk with the work tree as it is, npm packages and fetched programs among it. */
import { globSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makeDisk } from './ext4.ts'
import { run } from './program.ts'

const bytes = 12 * 2 ** 30
const notTaken = ['.cache', '.git']

/** `withImages`: the guide's images too, where this machine has built them. */
export function makeWorkDisk(file: string, root: string, withImages: boolean): void {
  const place = `${file}.content`
  mkdirSync(place)
  try {
    const names = readdirSync(root).filter((name) => !notTaken.includes(name))
    const cached = [...globSync('.cache/kubectl-*', { cwd: root }), ...(withImages ? globSync('.cache/guide/images', { cwd: root }) : [])]
    for (const name of [...names, ...cached]) {
      mkdirSync(dirname(join(place, name)), { recursive: true })
      // Links, since they lie on the same disk and are only read.
      run('cp', ['-al', join(root, name), join(place, name)])
    }
    makeDisk(file, place, bytes)
  } finally {
    rmSync(place, { recursive: true })
  }
}
