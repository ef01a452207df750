/** What a layer depends on, as one digest: the same key is the same layer, which is not made again. */
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { RecipeStep } from './recipe.ts'

/** Each grows when the builder makes something else out of the same. */
const base = 1
const builder = 2

export function baseKey(release: string): string {
  return hash({ builder: base, release, arch: process.arch })
}

export function stepKey(below: string, step: RecipeStep, directory: string): string {
  return hash({ builder, below, step, files: step.copy.map(({ from }) => contentKey(join(directory, from))) })
}

export function imageKey(below: string, settings: object): string {
  return hash({ below, settings })
}

function contentKey(path: string): string {
  const stat = lstatSync(path)
  if (stat.isSymbolicLink()) return hash({ link: readlinkSync(path) })
  if (!stat.isDirectory()) return hash({ mode: stat.mode & 0o777, content: hash(readFileSync(path)) })
  return hash(
    readdirSync(path)
      .sort()
      .map((name) => [name, contentKey(join(path, name))]),
  )
}

const hash = (value: unknown): string =>
  createHash('sha256')
    .update(Buffer.isBuffer(value) ? value : JSON.stringify(value))
    .digest('hex')
