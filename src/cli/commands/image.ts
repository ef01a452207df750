import { existsSync } from 'node:fs'
import { buildInNamespace } from '../../cluster/example-images.ts'
import { UserError } from '../../cluster/user-error.ts'
import { openImageStore } from '../../runtime/embedded/images/image-store.ts'
import type { Command } from '../command.ts'
import { megabytes } from '../numbers.ts'
import { dataDirOf, dataDirOption } from './data-dir.ts'

const actions = ['pull', 'load', 'save', 'build', 'ls', 'rm']

export const image: Command = {
  name: 'image',
  usage: 'pull NAME | load FILE | save NAME FILE | build RECIPE -t NAME | ls | rm NAME',
  summary: 'Works on the images of a data directory, with or without a cluster running over it.',
  options: { 'data-dir': dataDirOption, tag: { type: 'string', value: 'NAME', help: 'of the image to build (-t)' } },
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
        if (!store().find(word(0, 'the name of an image'))) throw new UserError(`there is no image ${words[0]}: 'skiff image ls' lists them`)
        store().remove(word(0, 'the name of an image'))
        store().collectGarbage()
        return 0
      case 'build': {
        const recipe = word(0, 'a recipe')
        if (!existsSync(recipe)) throw new UserError(`there is no file ${recipe}`)
        if (typeof values.tag !== 'string') throw new UserError("'skiff image build' needs the image's name: -t NAME")
        await buildInNamespace(directory, recipe, values.tag, (line) => console.log(line))
        return 0
      }
      default:
        throw new UserError(`'skiff image' needs one of ${actions.join(', ')}`)
    }
  },
}
