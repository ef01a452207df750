import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { buildImage } from '../../build/build-image.ts'
import { digestOf } from '../digest.ts'
import { openImageStore } from '../image-store.ts'
import { hostPlatform } from '../manifest.ts'
import { tarOf } from '../testing/registry.ts'
import { loadImages } from './load.ts'
import { saveImages } from './save.ts'

describe('image archives', { skip: process.getuid?.() !== 0 ? 'needs root' : false }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-archives-'))
  after(() => rmSync(directory, { recursive: true, force: true }))
  const store = openImageStore(join(directory, 'store'))

  it('load what docker save writes, old form, compressed or not', async () => {
    const layer = tarOf([
      { name: 'etc/', type: 'directory', mode: 0o755 },
      { name: 'etc/x', content: 'x' },
    ])
    const config = JSON.stringify({ ...hostPlatform(), config: { Cmd: ['x'] }, rootfs: { type: 'layers', diff_ids: [digestOf(layer), digestOf(layer)] } })
    const archive = Buffer.concat([
      tarOf([
        { name: 'abc/layer.tar', content: layer.toString('latin1') },
        { name: 'def/layer.tar', type: 'symlink', linkName: '../abc/layer.tar' },
        { name: 'config.json', content: config },
        {
          name: 'manifest.json',
          content: JSON.stringify([{ Config: 'config.json', RepoTags: ['old:1', 'old:latest'], Layers: ['abc/layer.tar', 'def/layer.tar'] }]),
        },
      ]),
    ])
    const file = join(directory, 'old.tar.gz')
    writeFileSync(file, gzipSync(archive))
    const [image] = await loadImages(file, store)
    assert.equal(image?.id, digestOf(config))
    assert.deepEqual(store.status('old')?.repoTags.sort(), ['docker.io/library/old:1', 'docker.io/library/old:latest'])
    const path = join(store.layers.path(digestOf(layer)), 'etc/x')
    assert.equal(readFileSync(path, 'utf8'), 'x')
  })

  it('are saved whole and load again as the same image, also what was built here', async () => {
    const recipe = join(directory, 'recipe')
    mkdirSync(join(recipe, 'app'), { recursive: true })
    writeFileSync(join(recipe, 'app', 'main'), 'program')
    writeFileSync(
      join(recipe, 'recipe.yaml'),
      'from: scratch\nsteps:\n  - write: [{ path: /etc/conf, content: "c" }]\n  - copy: [{ from: app, to: /srv/app, mode: "0755" }]\nconfig: { cmd: [/srv/app/main], env: { A: 1 }, ports: [80] }\n',
    )
    const built = await buildImage(join(recipe, 'recipe.yaml'), { tag: 'own:1', store })
    assert.deepEqual(built.config.config, {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'A=1'],
      Cmd: ['/srv/app/main'],
      ExposedPorts: { '80/tcp': {} },
    })
    const seen: string[] = []
    const again = await buildImage(join(recipe, 'recipe.yaml'), { tag: 'own:1', store, onProgress: ({ state }) => seen.push(state) })
    assert.deepEqual([again.id, seen], [built.id, ['cached', 'cached']])
    writeFileSync(join(recipe, 'app', 'main'), 'changed')
    const changed = await buildImage(join(recipe, 'recipe.yaml'), { tag: 'own:2', store })
    assert.equal(changed.layers[0]?.digest, built.layers[0]?.digest)
    assert.notEqual(changed.layers[1]?.digest, built.layers[1]?.digest)

    const file = join(directory, 'saved.tar')
    await saveImages(['own:1', 'old:1'], file, store)
    const other = openImageStore(join(directory, 'other'))
    const loaded = await loadImages(file, other)
    assert.deepEqual(
      loaded.map(({ id, name }) => [id, name]),
      [
        [built.id, 'docker.io/library/own:1'],
        [store.find('old:1')?.id, 'docker.io/library/old:1'],
      ],
    )
    const top = other.layers.path(built.layers[1]?.diffId ?? '')
    assert.equal(readFileSync(join(top, 'srv/app/main'), 'utf8'), 'program')
    await assert.rejects(saveImages(['none:1'], file, store), /no such image: none:1/)
  })

  it('say what is wrong with them', async () => {
    const file = join(directory, 'bad.tar')
    writeFileSync(file, tarOf([{ name: 'x', content: 'x' }]))
    await assert.rejects(loadImages(file, store), /bad\.tar cannot be loaded: it has neither index\.json nor manifest\.json/)
    writeFileSync(file, tarOf([{ name: 'manifest.json', content: JSON.stringify([{ Config: 'c', RepoTags: [], Layers: [] }]) }]))
    await assert.rejects(loadImages(file, store), /the archive lacks c/)
  })

  it('a recipe that is wrong says where', async () => {
    const file = join(directory, 'wrong.yaml')
    writeFileSync(file, 'steps:\n  - pakages: [x]\n')
    await assert.rejects(buildImage(file, { tag: 'x', store }), /steps\[0\]: unknown field "pakages"/)
  })

  it('need no root to be looked at', () => {
    assert.equal(spawnSync('tar', ['-tf', join(directory, 'saved.tar')]).status, 0)
  })
})
