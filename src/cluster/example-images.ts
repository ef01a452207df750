/** The guide's images: found in the store, else built out of Debian packages (once: later builds find every layer). */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { openImageStore } from '../runtime/embedded/images/image-store.ts'
import { UserError } from './user-error.ts'

const recipes = join(import.meta.dirname, '../../examples/flask-postgres/images')

export const exampleImages: readonly { tag: string; recipe: string }[] = [
  { tag: 'postgres:15', recipe: join(recipes, 'postgres.yaml') },
  { tag: 'flask-app:1.0', recipe: join(recipes, 'flask-app.yaml') },
]

/** Builds run in a mount namespace of their own: what they mount is never seen on the host. */
export async function ensureExampleImages(imageDirectory: string, onProgress: (text: string) => void): Promise<void> {
  for (const { tag, recipe } of exampleImages) await buildInNamespace(imageDirectory, recipe, tag, onProgress)
  const store = openImageStore(imageDirectory)
  for (const { tag } of exampleImages) if (!store.find(tag)) throw new UserError(`the image ${tag} was not made`)
}

export function buildInNamespace(imageDirectory: string, recipe: string, tag: string, onProgress: (text: string) => void): Promise<void> {
  const program = join(import.meta.dirname, 'build-image.ts')
  const child = spawn('unshare', ['--mount', process.execPath, '--disable-warning=ExperimentalWarning', program, imageDirectory, recipe, tag], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n').filter(Boolean)) onProgress(line)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4000)
  })
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new UserError(`the image ${tag} could not be built: ${error.message}`)))
    child.on('close', (code) => (code === 0 ? resolve() : reject(new UserError(`the image ${tag} could not be built: ${errors.trim().split('\n').at(-1)}`))))
  })
}
