/** A container's root file system: the image's layers below, a directory of its own on top. */
import { mkdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { command, type RunProgram, runCommand } from './command.ts'
import type { LayerStore } from './images/layer-store.ts'

/**
 * `diffIds` lowest first. `work` gets `upper` and `work`. The paths in the options are relative to the layers'
 * directory: options must fit into one page, and may hold no comma or colon of a user's own directory names.
 */
export async function mountOverlay(layers: LayerStore, diffIds: string[], work: string, target: string, run: RunProgram = runCommand): Promise<void> {
  for (const one of ['upper', 'work']) mkdirSync(join(work, one), { recursive: true })
  mkdirSync(target, { recursive: true })
  const beside = relative(layers.directory, work)
  const lower = diffIds.map((diffId) => layers.name(diffId)).reverse()
  // `volatile`: the upper directory is never mounted a second time, so that its syncs would be in vain.
  const all = [`lowerdir=${lower.join(':')}`, `upperdir=${beside}/upper`, `workdir=${beside}/work`, 'index=off', 'redirect_dir=off', 'metacopy=off', 'volatile']
  await command('mount', ['-t', 'overlay', '-o', all.join(','), 'overlay', target], { cwd: layers.directory }, run)
}
