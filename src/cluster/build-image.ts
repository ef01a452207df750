/** Builds one image, in the mount namespace it was started in: `build-image.ts STORE RECIPE TAG`. Tells of each step in a line. */
import { buildImage } from '../runtime/embedded/build/build-image.ts'
import { openImageStore } from '../runtime/embedded/images/image-store.ts'

const [directory = '', recipe = '', tag = ''] = process.argv.slice(2)
try {
  await buildImage(recipe, {
    tag,
    store: openImageStore(directory),
    onProgress: ({ what, state, seconds }) =>
      console.log(state === 'done' ? `${what}: ${seconds.toFixed(0)} s` : state === 'started' ? `${what} …` : `${what}: made before`),
  })
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
