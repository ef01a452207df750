/** Paths inside an image, with the image's root as the root of everything: its symlinks do not lead out of it. */
import { lstatSync, mkdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { isMissing } from '../json-file.ts'

/** The place on the host that `path` means to a process whose root is `root`. What is missing is taken as it is written. */
export function pathInRoot(root: string, path: string): string {
  let todo = path.split('/')
  let done: string[] = []
  for (let links = 0; todo.length > 0; ) {
    const [part = '', ...rest] = todo
    todo = rest
    if (part === '' || part === '.') continue
    if (part === '..') {
      done.pop()
      continue
    }
    const target = linkTarget(join(root, ...done, part))
    if (target === undefined) {
      done.push(part)
      continue
    }
    if (++links > 40) throw new Error(`too many levels of symbolic links: ${path}`)
    if (target.startsWith('/')) done = []
    todo = [...target.split('/'), ...rest]
  }
  return join(root, ...done)
}

function linkTarget(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

export function readInRoot(root: string, path: string): string | undefined {
  try {
    return readFileSync(pathInRoot(root, path), 'utf8')
  } catch (error) {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'EISDIR') return undefined
    throw error
  }
}

export function makeDirectoryInRoot(root: string, path: string): void {
  mkdirSync(pathInRoot(root, path), { recursive: true })
}
