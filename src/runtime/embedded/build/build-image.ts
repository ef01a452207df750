/** Makes an image out of a recipe. What was made before is found by its key: the same recipe a second time does nothing. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ImageLayer, ImageRecord } from '../images/image-record.ts'
import type { ImageStore } from '../images/image-store.ts'
import type { Lease } from '../images/leases.ts'
import { canonicalName, parseReference } from '../images/reference.ts'
import { withWorkLock } from '../images/work-lock.ts'
import { readJson, writeJson } from '../json-file.ts'
import { machineAptSources } from './apt-sources.ts'
import { assembleImage } from './assemble.ts'
import { makeBaseLayer } from './base-layer.ts'
import { baseKey, imageKey, stepKey } from './build-key.ts'
import { type Recipe, type RecipeStep, readRecipe } from './recipe.ts'
import { makeStepLayer } from './step-layer.ts'

export interface BuildProgress {
  /** For people: `base system (bookworm)`, `packages postgresql-15`. */
  what: string
  state: 'started' | 'cached' | 'done'
  seconds: number
}

export interface BuildOptions {
  tag: string
  store: ImageStore
  onProgress?: (progress: BuildProgress) => void
  signal?: AbortSignal
}

/** `recipe` is a file's path or what was read of one. */
export async function buildImage(recipe: string | Recipe, options: BuildOptions): Promise<ImageRecord> {
  const { store, tag } = options
  const read = typeof recipe === 'string' ? readRecipe(recipe) : recipe
  const name = canonicalName(parseReference(tag))
  const lease = await store.leases.take()
  try {
    const base = await baseOf(read, options, lease)
    let key = base.key
    const layers = [...base.layers]
    const history = [...base.history]
    for (const step of read.steps) {
      key = stepKey(key, step, read.directory)
      const place = {
        store,
        sources: base.sources,
        lease,
        directory: read.directory,
        below: [...layers],
        ...(options.signal ? { signal: options.signal } : {}),
      }
      layers.push(await cached(options, lease, key, describe(step), () => makeStepLayer(place, step)))
      history.push(describe(step))
    }
    key = imageKey(key, read.settings)
    const known = store.references.get(name)
    if (known?.recipe === key) return known
    return await assembleImage(store, { name, layers, history, settings: read.settings, recipe: key }, lease)
  } finally {
    lease.release()
  }
}

async function baseOf(recipe: Recipe, options: BuildOptions, lease: Lease) {
  const { store } = options
  if (recipe.from === 'scratch') return { key: 'scratch', layers: [], history: [], sources: undefined }
  if (recipe.from !== 'debian') {
    const image = store.find(recipe.from)
    if (!image) throw new Error(`the image ${recipe.from} to build from is not in the store: pull, load or build it first`)
    await lease.add(...image.layers.map((layer) => layer.diffId))
    return { key: image.id, layers: image.layers, history: image.layers.map(() => recipe.from), sources: undefined }
  }
  const sources = machineAptSources()
  const key = baseKey(sources.release)
  const what = `base system (${sources.release})`
  return { key, layers: [await cached(options, lease, key, what, () => makeBaseLayer(store, sources, lease))], history: [what], sources }
}

/** One builder makes it, others that want the same wait and find it. */
function cached({ store, onProgress }: BuildOptions, lease: Lease, key: string, what: string, make: () => Promise<ImageLayer>): Promise<ImageLayer> {
  const directory = join(store.directory, 'build', 'layers')
  mkdirSync(directory, { recursive: true })
  const path = join(directory, `${key}.json`)
  return withWorkLock(store, key, async () => {
    const known = readJson<ImageLayer>(path)
    if (known) {
      await lease.add(known.diffId)
      if (store.layers.has(known.diffId)) {
        onProgress?.({ what, state: 'cached', seconds: 0 })
        return known
      }
    }
    const start = store.clock.monotonic()
    onProgress?.({ what, state: 'started', seconds: 0 })
    const layer = await make()
    writeJson(path, layer)
    onProgress?.({ what, state: 'done', seconds: (store.clock.monotonic() - start) / 1000 })
    return layer
  })
}

function describe(step: RecipeStep): string {
  const parts = [
    ...(step.packages.length > 0 ? [`packages ${step.packages.join(' ')}`] : []),
    ...(step.write.length > 0 ? [`files ${step.write.map((file) => file.path).join(' ')}`] : []),
    ...(step.copy.length > 0 ? [`copies ${step.copy.map((file) => file.to).join(' ')}`] : []),
    ...(step.run ? ['commands'] : []),
  ]
  return parts.join(', ') || 'nothing'
}
