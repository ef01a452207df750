/** Files on their way into an image, laid out as they will lie there. */
import { chmodSync, cpSync, lstatSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { CopiedFile, WrittenFile } from './recipe.ts'

export interface Staged {
  /** Pairs of owner and path, for the image's own `chown`. */
  owners: string[]
}

export function stageWritten(directory: string, files: WrittenFile[]): Staged {
  for (const file of files) {
    const path = join(directory, file.path)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, file.content)
    chmodSync(path, Number.parseInt(file.mode ?? '0644', 8))
    utimesSync(path, 0, 0)
  }
  return { owners: files.flatMap((file) => (file.owner ? [file.owner, file.path] : [])) }
}

export function stageCopied(directory: string, files: CopiedFile[], from: string): Staged {
  const owners: string[] = []
  for (const file of files) {
    const source = join(from, file.from)
    if (!lstatSync(source, { throwIfNoEntry: false })) throw new Error(`copy: ${source} does not exist`)
    const target = file.to.endsWith('/') ? join(file.to, basename(file.from)) : file.to
    const path = join(directory, target)
    mkdirSync(dirname(path), { recursive: true })
    cpSync(source, path, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
    plainModes(path, file.mode === undefined ? undefined : Number.parseInt(file.mode, 8))
    if (file.owner) owners.push(file.owner, target)
  }
  return { owners }
}

/** The modes of a work tree depend on its owner's umask: in an image files are readable, and executable where they were. */
function plainModes(path: string, mode: number | undefined): void {
  const stat = lstatSync(path)
  if (stat.isSymbolicLink()) return
  if (!stat.isDirectory()) return chmodSync(path, mode ?? (stat.mode & 0o100 ? 0o755 : 0o644))
  chmodSync(path, 0o755)
  for (const name of readdirSync(path)) plainModes(join(path, name), mode)
}
