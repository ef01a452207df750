/** Makes the layer of one step of a recipe. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ImageLayer } from '../images/image-record.ts'
import type { ImageStore } from '../images/image-store.ts'
import type { Lease } from '../images/leases.ts'
import type { AptSources } from './apt-sources.ts'
import { addLayer } from './assemble.ts'
import { buildIn } from './build-place.ts'
import { aptBinds, aptCache, fetchPackages, installScript } from './packages.ts'
import type { RecipeStep } from './recipe.ts'
import { stageCopied, stageWritten } from './staging.ts'

/**
 * Outside of `$root`, where it is mounted. The image's own tar and chown are used, so that symlinks and names of
 * users are those of the image; an image from nothing has none of them.
 */
const script = `
staging=$1; run=$2; shift 2
put() {
  [ -d "$1" ] || return 0
  if chroot "$root" tar --version 2>/dev/null | grep -q GNU; then tar -C "$1" -c . | chroot "$root" tar -x -p --numeric-owner --no-overwrite-dir --keep-directory-symlink -C /
  elif [ -x "$root/bin/tar" ]; then tar -C "$1" -c . | chroot "$root" tar -x -p -C /
  else cp -a --no-target-directory "$1" "$root"; fi
}
own() { while [ $# -gt 1 ]; do chroot "$root" chown -R "$1" "$2"; shift 2; done; }
install_packages() { ${installScript} }
put "$staging/write"
packages=
while [ $# -gt 0 ] && [ "$1" != -- ]; do packages="$packages $1"; shift; done
[ $# -eq 0 ] || shift
[ -z "$packages" ] || install_packages $packages
put "$staging/copy"
own "$@"
[ -z "$run" ] || chroot "$root" sh -euc "$run" 2>&1
rm -rf "$root/tmp"/*
`

export interface StepPlace {
  store: ImageStore
  sources: AptSources | undefined
  lease: Lease
  /** Of the recipe. */
  directory: string
  /** Lowest first. */
  below: ImageLayer[]
  signal?: AbortSignal
}

export async function makeStepLayer(place: StepPlace, step: RecipeStep): Promise<ImageLayer> {
  const { store, signal } = place
  const work = store.layers.begin()
  try {
    const staging = join(work, 'staging')
    mkdirSync(staging)
    const written = stageWritten(join(staging, 'write'), step.write)
    const copied = stageCopied(join(staging, 'copy'), step.copy, place.directory)
    const lower = place.below.map((layer) => layer.diffId)
    let binds: Record<string, string> = {}
    if (step.packages.length > 0) {
      if (!place.sources) throw new Error('packages need `from: debian`')
      const cache = aptCache(store, place.sources)
      await fetchPackages(store, cache, topmost(store, lower, 'var/lib/dpkg/status'), step.packages, signal)
      binds = aptBinds(cache)
    }
    const args = [staging, step.run ?? '', ...step.packages, '--', ...written.owners, ...copied.owners]
    await buildIn({ layers: store.layers, lower, directory: work }, binds, script, args, signal)
    const layer = join(work, 'layer')
    renameSync(join(work, 'upper'), layer)
    return await addLayer(store, layer, place.lease)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The file as it is seen through the layers. */
function topmost(store: ImageStore, layers: string[], path: string): string {
  const found = layers
    .toReversed()
    .map((diffId) => join(store.layers.path(diffId), path))
    .find((file) => existsSync(file))
  if (!found) throw new Error(`no layer has ${path}`)
  return found
}
