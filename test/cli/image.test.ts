/** `skiff image` on a data directory without a cluster: save, load, ls, rm, and what goes wrong, in one sentence. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { buildBusyboxImage, openImageStore } from '../../src/runtime/embedded/image-operations.ts'
import { skiff, testDirectory } from '../tools/cluster.ts'

const run = promisify(execFile)
const directory = testDirectory()
after(() => rmSync(directory, { recursive: true }))
const image = async (...words: string[]) => (await run(skiff, ['image', ...words, '--data-dir', directory])).stdout

describe('skiff image', () => {
  it('saves an image, removes it, and loads it again', async () => {
    mkdirSync(join(directory, 'images'), { recursive: true })
    await buildBusyboxImage(openImageStore(join(directory, 'images')), 'tools:1')
    const listed = await image('ls')
    assert.match(listed, /^[0-9a-f]{12}\s+\d+ (k|M)B\s+docker\.io\/library\/tools:1$/m)
    const archive = join(directory, 'tools.tar')
    await image('save', 'tools:1', archive)
    await image('rm', 'tools:1')
    assert.equal(await image('ls'), '')
    assert.match(await image('load', archive), /loaded docker\.io\/library\/tools:1/)
    assert.equal(await image('ls'), listed)
  })

  it('builds from a recipe, and finds what was built before', async () => {
    const recipe = join(directory, 'recipe.yaml')
    writeFileSync(recipe, 'from: tools:1\nsteps:\n  - write: [{ path: /etc/motd, content: "hello" }]\nconfig: { cmd: [cat, /etc/motd] }\n')
    await image('build', recipe, '-t', 'motd:1')
    assert.match(await image('ls'), /motd:1/)
    assert.match(await image('build', recipe, '-t', 'motd:1'), /made before/)
  })

  for (const [what, words, says] of [
    ['no action', [], /skiff: 'skiff image' needs one of pull, load, save, build, ls, rm/],
    ['an unknown image', ['rm', 'nothing:1'], /skiff: there is no image nothing:1: 'skiff image ls' lists them/],
    ['a file that is not there', ['load', '/nowhere.tar'], /skiff: there is no file \/nowhere\.tar/],
    ['a recipe without a name for it', ['build', skiff], /skiff: 'skiff image build' needs the image's name: -t NAME/],
    ['a registry that is not there', ['pull', '127.0.0.1:9/x:1'], /skiff: .*127\.0\.0\.1:9/],
    ['a bad name', ['pull', 'UPPER CASE'], /skiff: .*(invalid|reference)/i],
  ] as const) {
    it(`says in one sentence what is wrong with ${what}`, async () => {
      await assert.rejects(image(...words), (error: { stderr: string }) => {
        assert.match(error.stderr, says)
        assert.equal(error.stderr.trim().split('\n').length, 1, error.stderr)
        return true
      })
    })
  }
})
