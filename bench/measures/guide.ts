/** The guide with its images at hand: from the first apply to the first page out of the database. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { exampleImages } from '../../src/cluster/example-images.ts'
import { openImageStore } from '../../src/runtime/embedded/images/image-store.ts'
import { CannotMeasure, type SkiffMeasure } from '../measure.ts'
import { skiff, temporaryDirectory } from '../skiff.ts'

const cache = join(import.meta.dirname, '../../.cache')
const dataDir = join(cache, 'bench-guide')

const hasImages = (directory: string) => existsSync(directory) && exampleImages.every(({ tag }) => openImageStore(directory).find(tag))

/** The tests make the guide's images too, and may run at the same time: theirs are linked, not shared. */
function linkImages(): boolean {
  const [theirs, ours] = ['guide', 'bench-guide'].map((name) => join(cache, name, 'images'))
  if (!theirs || !ours) return false
  if (hasImages(ours)) return true
  if (!hasImages(theirs)) return false
  rmSync(ours, { recursive: true, force: true })
  mkdirSync(dataDir, { recursive: true })
  execFileSync('cp', ['-al', theirs, ours])
  return hasImages(ours)
}

interface Report {
  ok: boolean
  secondsToFirstPage?: number
}

export const guide: SkiffMeasure = {
  name: 'guide',
  needs: 'skiff',
  summary: 'the guide, first apply to first page',
  async run() {
    if (!linkImages()) throw new CannotMeasure(`the guide's images are not made yet: 'npm test' or 'bin/skiff guide --exit --data-dir ${dataDir}' makes them`)
    const directory = temporaryDirectory()
    try {
      const file = join(directory, 'report.json')
      await skiff(['guide', '--exit', '--data-dir', dataDir, '--http-port', '0', '--report', file])
      const { ok, secondsToFirstPage } = JSON.parse(readFileSync(file, 'utf8')) as Report
      if (!ok || secondsToFirstPage === undefined) throw new Error('not every statement of the guide held')
      const how = 'real kubectl, images at hand; includes checking every statement on the way'
      return [{ what: 'guide: first apply to first page', value: secondsToFirstPage, unit: 's', how, goal: { atMost: 10 } }]
    } finally {
      rmSync(directory, { recursive: true })
    }
  },
}
