import { join, sep } from 'node:path'
import type { NodeFiles } from '../files/node-files.ts'

/**
 * The place of a `subPath` in a volume, made when it is missing. Links inside the volume are the pod's to
 * write: what they lead to must lie in the volume still.
 */
export async function resolveSubPath(files: NodeFiles, volume: string, subPath: string): Promise<string> {
  if (subPath.startsWith('/')) throw new Error(`error SubPath \`${subPath}\` must not be an absolute path`)
  if (subPath.split('/').includes('..')) throw new Error(`unable to provision SubPath \`${subPath}\`: must not contain '..'`)
  const path = join(volume, subPath)
  const root = await files.realPath(volume)
  if ((await files.kindOf(path)) === undefined) {
    await checkParents(files, root, volume, subPath)
    // Who may write to the volume may write to its part.
    await files.makeDirectory(path, await files.modeOf(root))
  }
  const real = await files.realPath(path)
  if (real !== root && !real.startsWith(root + sep)) throw new Error(`subpath ${JSON.stringify(subPath)} leads out of the volume`)
  return real
}

/** The deepest part that exists must lie in the volume before anything is made below it. */
async function checkParents(files: NodeFiles, root: string, volume: string, subPath: string): Promise<void> {
  const parts = subPath.split('/')
  for (let length = parts.length - 1; length >= 0; length--) {
    const parent = join(volume, ...parts.slice(0, length))
    if ((await files.kindOf(parent)) === undefined) continue
    const real = await files.realPath(parent)
    if (real !== root && !real.startsWith(root + sep)) throw new Error(`subpath ${JSON.stringify(subPath)} leads out of the volume`)
    return
  }
}
