import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, describe, it } from 'node:test'
import { command } from '../command.ts'
import { Digester, digestOf } from './digest.ts'
import { LayerStore } from './layer-store.ts'
import { tarOf } from './testing/registry.ts'

describe('layers', { skip: process.getuid?.() !== 0 ? 'needs root' : false }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-layers-'))
  const layers = new LayerStore(directory)
  after(() => rmSync(directory, { recursive: true, force: true }))
  const unpack = async (tar: Buffer) => {
    const mark = await layers.unpack(digestOf(tar), Readable.from([tar]), 'none')
    return layers.path(mark.diffId)
  }

  it('unpack owners, modes, links, devices, pipes, long names and attributes', async () => {
    const long = `${'d'.repeat(120)}/${'f'.repeat(120)}`
    const path = await unpack(
      tarOf([
        { name: `${'d'.repeat(120)}/`, type: 'directory', mode: 0o700, uid: 3_000_000, gid: 5 },
        { name: long, content: 'long', mtime: '1000000000.5', mode: 0o6755 },
        { name: 'hard', type: 'link', linkName: long },
        { name: 'soft', type: 'symlink', linkName: '/absolute/../target' },
        { name: 'dev/null', type: 'character', major: 1, minor: 3, mode: 0o666 },
        { name: 'pipe', type: 'fifo', mode: 0o600 },
        { name: 'capable', content: 'x', xattrs: new Map([['security.capability', Buffer.from('0100000200200000000000000000000000000000', 'hex')]]) },
        { name: 'ünïcode', content: 'u' },
      ]),
    )
    assert.deepEqual(
      [lstatSync(join(path, 'd'.repeat(120))).uid, lstatSync(join(path, long)).mode & 0o7777, lstatSync(join(path, 'hard')).nlink],
      [3_000_000, 0o6755, 2],
    )
    assert.equal(lstatSync(join(path, long)).mtimeMs, 1_000_000_000_500)
    assert.equal(readlinkSync(join(path, 'soft')), '/absolute/../target')
    assert.equal(lstatSync(join(path, 'dev/null')).rdev, lstatSync('/dev/null').rdev)
    assert.ok(lstatSync(join(path, 'pipe')).isFIFO())
    assert.equal(readFileSync(join(path, 'ünïcode'), 'utf8'), 'u')
    const tar = await command('sh', ['-c', `tar -C "$0" -c --xattrs --xattrs-include='*' capable | grep -ac security.capability`, path])
    assert.equal(tar.trim(), '1')
  })

  it('never write outside, whatever names and links say', async () => {
    const outside = join(directory, 'outside')
    const path = await unpack(
      tarOf([
        { name: '../../escape', content: 'x' },
        { name: '/absolute', content: 'x' },
        { name: 'out', type: 'symlink', linkName: outside },
        { name: 'out/file', content: 'x' },
        { name: 'up', type: 'symlink', linkName: '../../../..' },
        { name: 'up/etc/skiff-escaped', content: 'x' },
        { name: 'chain', type: 'symlink', linkName: 'up' },
        { name: 'chain/chained', content: 'x' },
        { name: 'stolen', type: 'link', linkName: 'absolute' },
      ]),
    )
    assert.ok(!existsSync(outside) && !existsSync('/etc/skiff-escaped') && !existsSync(join(directory, 'escape')))
    assert.deepEqual(readdirSync(path).sort(), ['absolute', 'chain', 'chained', 'escape', 'etc', 'out', 'stolen', directory.split('/')[1] ?? '', 'up'].sort())
    const loop = tarOf([
      { name: 'a', type: 'symlink', linkName: 'b' },
      { name: 'b', type: 'symlink', linkName: 'a' },
      { name: 'a/x', content: 'x' },
    ])
    await assert.rejects(unpack(loop), /too many levels of symbolic links/)
  })

  it('turn whiteouts into what overlayfs understands, and back into the same archive', async () => {
    const tar = tarOf([
      { name: 'gone/', type: 'directory', mode: 0o755 },
      { name: 'gone/.wh..wh..opq' },
      { name: 'gone/new', content: 'new' },
      { name: 'kept/', type: 'directory', mode: 0o755 },
      { name: 'kept/.wh.file' },
      { name: 'sly', content: 'x', xattrs: new Map([['trusted.overlay.redirect', Buffer.from('/etc')]]) },
    ])
    const path = await unpack(tar)
    const device = lstatSync(join(path, 'kept/file'))
    assert.deepEqual([device.isCharacterDevice(), device.rdev], [true, 0])
    assert.match(await command('sh', ['-c', `tar -C "$0" -c --xattrs --xattrs-include='*' gone | grep -ac overlay.opaque=y`, path]), /^1/)
    assert.match(await command('sh', ['-c', `tar -C "$0" -c --xattrs --xattrs-include='*' sly | grep -ac overlay || :`, path]), /^0/)
    const again = Buffer.concat(await layers.archive(path).toArray())
    const other = await unpack(again)
    assert.equal(lstatSync(join(other, 'kept/file')).isCharacterDevice(), true)
    const digester = new Digester()
    layers.archive(other).pipe(digester).resume()
    await new Promise((resolve) => digester.once('end', resolve))
    assert.equal(digester.digest(), digestOf(again))
  })

  it('leave nothing that counts when they are cut or damaged', async () => {
    const tar = tarOf([{ name: 'file', content: 'x'.repeat(5000) }])
    const before = readdirSync(layers.directory).sort()
    await assert.rejects(layers.unpack(digestOf(tar), Readable.from([tar.subarray(0, 3000)]), 'none'), /unexpected end of archive/)
    await assert.rejects(layers.unpack(digestOf('other'), Readable.from([tar]), 'none'), /wrong diff id/)
    await assert.rejects(layers.unpack(digestOf(tar), Readable.from([Buffer.from('this is no archive'.repeat(100))]), 'none'), /invalid tar header/)
    assert.deepEqual(readdirSync(layers.directory).sort(), before)
  })
})
