/**
 * Files of environment variables, as an init container leaves them for others (KEP-3721): `NAME='value'`, what a shell
 * takes for the same. A value stands in single quotes, as it is, and may hold newlines.
 */
import { join, sep } from 'node:path'
import type { NodeFiles } from '../files/node-files.ts'

const declaration = /[ \t]*([^\s='#][^\s=']*)[ \t]*=[ \t]*'([^']*)'[ \t]*(?:#[^\n]*)?(?:\r?\n|$)/y
const nothing = /[ \t]*(?:#[^\n]*)?(?:\r?\n|$)/y

/** Throws for what is neither a declaration, nor a comment, nor blank. */
export function parseEnvFile(text: string): Map<string, string> {
  const found = new Map<string, string>()
  for (let at = 0; at < text.length; ) {
    nothing.lastIndex = declaration.lastIndex = at
    if (nothing.test(text)) {
      at = nothing.lastIndex
      continue
    }
    const [, name, value] = declaration.exec(text) ?? []
    if (name === undefined || value === undefined) throw new Error(`line ${text.slice(0, at).split('\n').length} is not of the form NAME='value'`)
    found.set(name, value)
    at = declaration.lastIndex
  }
  return found
}

const mostBytes = 1 << 20

/** Undefined: it is not there. Links in the volume are the pod's to write: what they lead to must lie in the volume. */
export async function readEnvFile(files: NodeFiles, volume: string, path: string): Promise<Map<string, string> | undefined> {
  const full = join(volume, path)
  if ((await files.kindOf(full)) !== 'file') return undefined
  const [root, real] = [await files.realPath(volume), await files.realPath(full)]
  if (!real.startsWith(root + sep)) throw new Error('it leads out of the volume')
  return parseEnvFile((await files.readPart(real, mostBytes, 'start')).toString())
}
