import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { forgetAllButImages, prepareDataDirectory } from './data-directory.ts'

it('a new cluster over an old directory finds the images, and nothing else of the old: no objects, no nodes, no keys', () => {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-data-'))
  try {
    const data = prepareDataDirectory(directory)
    mkdirSync(join(data.nodes, 'node-2'), { recursive: true })
    for (const file of [data.state, data.encryption, join(data.nodes, 'node-2/node.json'), join(data.images, 'index.json'), join(data.pki, 'ca.crt')])
      writeFileSync(file, 'kept from before')
    forgetAllButImages(data)
    assert.deepEqual(readdirSync(directory).sort(), ['images', 'layout'])
    assert.deepEqual(readdirSync(data.images), ['index.json'])
  } finally {
    rmSync(directory, { recursive: true })
  }
})
