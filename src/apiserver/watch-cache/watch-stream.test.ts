import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnyObject } from '../../machinery/object.ts'
import { CacheChange } from './change.ts'
import { ChangeWindow } from './change-window.ts'
import { everything } from './selection.ts'
import { WatchStream } from './watch-stream.ts'
import { WatcherIndex, type Watching } from './watcher-index.ts'

const object = (name: string, node = ''): AnyObject => ({ metadata: { name, uid: name, creationTimestamp: '', resourceVersion: '1' }, node })
const added = (revision: number, name: string, node = '', previous?: AnyObject) => new CacheChange(revision, name, object(name, node), previous)

test('a client that does not keep up loses its watch, and what waits is dropped', () => {
  const stream = new WatchStream({ selection: everything(), bookmarks: false, kind: 'X', apiVersion: 'v1', capacity: 3 })
  for (let i = 0; i < 4; i++) stream.onChange(added(i, `o${i}`))
  assert.equal(stream.ended, true)
  assert.deepEqual(stream.take(10), [])
})

test('what was there is told first, piece by piece, then what changed meanwhile', () => {
  const stream = new WatchStream({ selection: everything(), bookmarks: true, kind: 'X', apiVersion: 'v1' })
  stream.begin([object('a'), object('b'), object('c')])
  stream.bookmark(5, true)
  stream.onChange(added(6, 'd'))
  assert.deepEqual(
    stream.take(2).map(({ type }) => type),
    ['ADDED', 'ADDED'],
  )
  assert.deepEqual(
    stream.take(10).map(({ type }) => type),
    ['ADDED', 'BOOKMARK', 'ADDED'],
  )
})

test('the window knows what it has forgotten', () => {
  const window = new ChangeWindow(10, 2)
  assert.deepEqual(window.since(10), [])
  assert.equal(window.since(9), undefined)
  for (const revision of [11, 12, 13]) window.add(added(revision, 'a'))
  assert.equal(window.since(10), undefined)
  assert.deepEqual(
    window.since(11)?.map((change) => change.revision),
    [12, 13],
  )
  assert.deepEqual(window.since(13), [])
})

test('a change reaches those whom it may concern, once', () => {
  const index = new WatcherIndex({ namespaced: true, selectableFields: { 'spec.nodeName': (one) => String(one.node) } })
  const heard: string[] = []
  const watcher = (name: string, selection: Partial<Watching['selection']>): Watching => ({
    selection: { ...everything(), ...selection },
    onChange: () => void heard.push(name),
  })
  const all = watcher('all', {})
  const onNode = watcher('n1', { fields: new Map([['spec.nodeName', 'n1']]) })
  const one = watcher('one', { namespace: 'x', name: 'a' })
  const inNamespace = watcher('x', { namespace: 'x' })
  for (const each of [all, onNode, one, inNamespace]) index.add(each)
  index.deliver(added(1, 'x/a', 'n1'))
  assert.deepEqual(heard.splice(0).sort(), ['all', 'n1', 'one', 'x'])
  index.deliver(added(2, 'y/a', 'n2', object('a', 'n1')))
  assert.deepEqual(heard.splice(0).sort(), ['all', 'n1'])
  for (const each of [all, onNode, one]) index.remove(each)
  index.deliver(added(3, 'x/a', 'n1'))
  assert.deepEqual(heard, ['x'])
})

test('a thousand watches of single objects that lie in no namespace are not asked of a change of one', () => {
  const index = new WatcherIndex({ namespaced: false, selectableFields: {} })
  let asked = 0
  for (let i = 0; i < 1000; i++)
    index.add({ selection: { ...everything(), name: `node-${i}`, fields: new Map([['metadata.name', `node-${i}`]]) }, onChange: () => void asked++ })
  index.deliver(added(1, 'node-7'))
  assert.equal(asked, 1)
})
