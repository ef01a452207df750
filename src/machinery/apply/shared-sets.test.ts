import assert from 'node:assert/strict'
import { it } from 'node:test'
import { SharedSets } from './shared-sets.ts'

const leaf = () => ({})
const set = (ip: string) => ({
  'f:metadata': { 'f:labels': { '.': leaf(), 'f:app': leaf() } },
  'f:status': { 'f:conditions': { '.': leaf(), 'k:{"type":"Ready"}': { 'f:status': leaf() } }, 'f:podIPs': { [`k:{"ip":"${ip}"}`]: { 'f:ip': leaf() } } },
})

it('what is alike in two sets is one', () => {
  const sets = new SharedSets(100)
  const [a, b, c] = [set('10.0.0.1'), set('10.0.0.1'), set('10.0.0.2')].map((one) => sets.share(one))
  assert.deepEqual(a, set('10.0.0.1'))
  assert.deepEqual(c, set('10.0.0.2'))
  assert.equal(a?.['f:status'], b?.['f:status'])
  assert.notEqual(a?.['f:status'], c?.['f:status'])
  assert.equal(a?.['f:metadata'], c?.['f:metadata'])
  assert.equal(a?.['f:status']?.['f:conditions'], c?.['f:status']?.['f:conditions'])
})

it('sorts, and the order in which a set was made is nothing', () => {
  const sets = new SharedSets(100)
  const { 'f:status': status, 'f:metadata': metadata } = set('10.0.0.1')
  const { 'f:podIPs': ips, 'f:conditions': conditions } = status
  const unsorted = { 'f:status': { 'f:podIPs': ips, 'f:conditions': conditions }, 'f:metadata': metadata }
  const shared = sets.share(unsorted)
  assert.equal(JSON.stringify(shared), JSON.stringify(set('10.0.0.1')))
  assert.equal(sets.share(set('10.0.0.1'))['f:status'], shared['f:status'])
  assert.equal(sets.share(shared)['f:status'], shared['f:status'])
})

it('remembers what is seen again and again, and not everything', () => {
  const sets = new SharedSets(10)
  const often = sets.share(set('often'))['f:status']
  const once = sets.share(set('once'))['f:status']
  for (let i = 0; i < 100; i++) {
    sets.share(set(`other ${i}`))
    assert.equal(sets.share(set('often'))['f:status'], often)
  }
  assert.notEqual(sets.share(set('once'))['f:status'], once)
})
