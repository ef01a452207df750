/** `skiff image` on a data directory without a cluster: save, load, ls, rm, and what goes wrong, in one sentence. */
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { buildBusyboxImage, openImageStore } from '../../src/runtime/embedded/image-operations.ts'
import { eventually, skiff, testDirectory } from '../tools/cluster.ts'

const run = promisify(execFile)
const directory = testDirectory()
after(() => rmSync(directory, { recursive: true }))
const archive = join(directory, 'tools.tar')
const large = join(directory, 'large.tar')
const main = join(import.meta.dirname, '../../src/cli/main.ts')
const image = async (...words: string[]) => (await run(skiff, ['image', ...words, '--data-dir', directory])).stdout

/** An index that offers an image for s390x alone. */
const otherMachines = join(directory, 'other.tar')
writeFileSync(
  join(directory, 'index.json'),
  '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:0","size":1}]}',
)
execFileSync('tar', ['-cf', otherMachines, '-C', directory, 'index.json'])

describe('skiff image', () => {
  it('saves an image, removes it, and loads it again', async () => {
    mkdirSync(join(directory, 'images'), { recursive: true })
    await buildBusyboxImage(openImageStore(join(directory, 'images')), 'tools:1')
    const listed = await image('ls')
    assert.match(listed, /^[0-9a-f]{12}\s+\d+ (k|M)B\s+docker\.io\/library\/tools:1$/m)
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

  it('is loaded by two at once', async () => {
    // Large enough that they meet.
    const recipe = join(directory, 'large.yaml')
    writeFileSync(join(directory, 'large'), randomBytes(30_000_000))
    writeFileSync(recipe, 'from: scratch\nsteps:\n  - copy: [{ from: large, to: /large }]\n')
    await image('build', recipe, '-t', 'large:1')
    await image('save', 'large:1', large)
    await image('rm', 'large:1')
    assert.deepEqual(await Promise.all([image('load', large), image('load', large)]), Array(2).fill('loaded docker.io/library/large:1\n'))
  })

  it('leaves nothing of a load that was killed', async () => {
    const images = join(directory, 'images')
    const loading = () => readdirSync(images).filter((name) => name.startsWith('loading-'))
    await image('rm', 'large:1')
    const load = spawn(process.execPath, [main, 'image', 'load', large, '--data-dir', directory])
    await eventually('it is under way', async () => loading().length > 0)
    load.kill('SIGKILL')
    assert.equal(loading().length, 1)
    // As if it were a while ago: who is at work renews its lease.
    const old = new Date(Date.now() - 200_000)
    for (const name of readdirSync(join(images, 'leases'))) utimesSync(join(images, 'leases', name), old, old)
    await image('load', archive)
    assert.deepEqual(loading(), [])
  })

  for (const [what, words, says] of [
    ['no action', [], /skiff: 'skiff image' needs one of pull, load, save, build, ls, rm/],
    ['an unknown image', ['rm', 'nothing:1'], /skiff: there is no image nothing:1: 'skiff image ls' lists them/],
    ['a file that is not there', ['load', '/nowhere.tar'], /skiff: there is no file \/nowhere\.tar/],
    ['a recipe without a name for it', ['build', skiff], /skiff: 'skiff image build' needs the image's name: -t NAME/],
    ['a registry that is not there', ['pull', '127.0.0.1:9/x:1'], /skiff: .*127\.0\.0\.1:9/],
    ['a bad name', ['pull', 'UPPER CASE'], /skiff: .*(invalid|reference)/i],
    ['a bad name to remove', ['rm', 'UPPER CASE'], /skiff: couldn't parse image name "UPPER CASE": invalid reference format/],
    ['a directory for a file', ['load', directory], /skiff: \S+ is a directory: give a file/],
    ['a place to save to that is not there', ['save', 'tools:1', '/nowhere/x.tar'], /skiff: there is no directory \/nowhere/],
    ['a file that is no archive', ['load', skiff], /skiff: \S+bin\/skiff cannot be loaded: unexpected end of archive/],
    ['an archive for other machines', ['load', otherMachines], /skiff: \S+other\.tar cannot be loaded: it holds no image for linux\/\w+/],
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
