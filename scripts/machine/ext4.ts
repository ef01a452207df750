/** A disk with what lies in a directory; nothing is mounted for it, and what is not written takes no room. */
import { truncateSync, writeFileSync } from 'node:fs'
import { run } from './program.ts'

export function makeDisk(file: string, directory: string, bytes: number): void {
  writeFileSync(file, '')
  truncateSync(file, bytes)
  run('mkfs.ext4', ['-q', '-F', '-d', directory, file])
}
