import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { buildInNamespace } from '../../cluster/example-images.ts'
import { UserError } from '../../cluster/user-error.ts'
import { loadImages, openImageStore, pullImage, saveImages } from '../../runtime/embedded/image-operations.ts'
import type { Command, Values } from '../command.ts'
import { megabytes } from '../numbers.ts'
import { dataDirOf, dataDirOption } from './data-dir.ts'

/** `USER:PASSWORD` out of the environment: words of a command line are seen by everybody. */
function credentialsOf(values: Values): { username: string; password: string } | undefined {
  const text = process.env.SKIFF_REGISTRY_AUTH
  if (!values.auth) return undefined
  const colon = text?.indexOf(':') ?? -1
  if (!text || colon < 1) throw new UserError('--auth reads USER:PASSWORD from the environment variable SKIFF_REGISTRY_AUTH, which is not set')
  return { username: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** What went wrong with an image, in one sentence. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error))
  }
}

/** A file that can be read; others are told of at once. */
function fileAt(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found) throw new UserError(`there is no file ${path}`)
  if (found.isDirectory()) throw new UserError(`${path} is a directory: give a file`)
  return path
}

const actions = ['pull', 'load', 'save', 'build', 'ls', 'rm']

export const image: Command = {
  name: 'image',
  usage: 'pull NAME | load FILE | save NAME FILE | build RECIPE -t NAME | ls | rm NAME',
  summary: 'Works on the images of a data directory, with or without a cluster running over it.',
  options: {
    'data-dir': dataDirOption,
    tag: { type: 'string', value: 'NAME', help: 'of the image to build (-t)' },
    auth: { type: 'boolean', help: 'log in at the registry with $SKIFF_REGISTRY_AUTH (USER:PASSWORD)' },
  },
  async run(values, [action = '', ...words]) {
    const directory = dataDirOf(values).images
    const store = () => openImageStore(directory)
    const word = (index: number, what: string) => {
      const found = words[index]
      if (found === undefined) throw new UserError(`'skiff image ${action}' needs ${what}: skiff image ${image.usage}`)
      return found
    }
    switch (action) {
      case 'ls':
        for (const one of store().list()) console.log(`${one.id.slice(7, 19)}  ${megabytes(one.size).padStart(8)}  ${one.repoTags.join(', ') || '<none>'}`)
        return 0
      case 'rm':
        await told(async () => {
          const name = word(0, 'the name of an image')
          if (!store().find(name)) throw new UserError(`there is no image ${name}: 'skiff image ls' lists them`)
          store().remove(name)
        })
        return 0
      case 'pull': {
        const name = word(0, 'the name of an image')
        const credentials = credentialsOf(values)
        await told(() => pullImage(name, { store: store(), ...(credentials ? { auth: credentials } : {}) }))
        console.log(`pulled ${name}`)
        return 0
      }
      case 'load': {
        const file = fileAt(word(0, 'an archive'))
        for (const one of await told(() => loadImages(file, store()))) console.log(`loaded ${one.name}`)
        return 0
      }
      case 'save': {
        const name = word(0, 'the name of an image')
        const file = word(1, 'a file to write')
        if (!statSync(dirname(file), { throwIfNoEntry: false })?.isDirectory()) throw new UserError(`there is no directory ${dirname(file)}`)
        await told(() => saveImages([name], file, store()))
        return 0
      }
      case 'build': {
        const recipe = fileAt(word(0, 'a recipe'))
        if (typeof values.tag !== 'string') throw new UserError("'skiff image build' needs the image's name: -t NAME")
        await buildInNamespace(directory, recipe, values.tag, (line) => console.log(line))
        return 0
      }
      default:
        throw new UserError(`'skiff image' needs one of ${actions.join(', ')}`)
    }
  },
}
