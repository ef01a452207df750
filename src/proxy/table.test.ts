import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Chain } from './balance-chain.ts'
import { forgetFlow, staleFlows } from './connections.ts'
import type { Element } from './element.ts'
import { Table } from './table.ts'

const balance = (count: number): Chain => ({ kind: 'balance', balance: { frontend: 'ip', count, local: false, affinity: undefined } })
const self = (address: string): Element => ({ container: 'local-endpoints', key: `${address} . ${address}`, value: '' })
const entry = (address: string, count: number): Element => ({ container: 'services', key: `${address} . tcp . 80`, value: `goto ip-${count}` })

test('only what differs is written, chains first', () => {
  const table = new Table('t', { clusterCIDRs: ['10.244.0.0/16'] })
  table.set('a', { elements: [entry('10.96.0.1', 1), self('10.244.0.2')], chains: [balance(1)] })
  assert.match(table.full(), /chain ip-1 \{[\s\S]*add element ip t services \{ 10.96.0.1 \. tcp \. 80 : goto ip-1 \}/)
  table.set('a', { elements: [entry('10.96.0.1', 1), self('10.244.0.2')], chains: [balance(1)] })
  assert.equal(table.difference(), '')
  table.set('a', { elements: [entry('10.96.0.1', 2), self('10.244.0.2')], chains: [balance(2)] })
  const lines = table.difference().split('\n')
  assert.equal(lines[1], '  chain ip-2 {')
  assert.deepEqual(lines.slice(-3), [
    'delete element ip t services { 10.96.0.1 . tcp . 80 }',
    'add element ip t services { 10.96.0.1 . tcp . 80 : goto ip-2 }',
    '',
  ])
})

test('what two Services claim goes with the last of them; the first one holds it', () => {
  const table = new Table('t', { clusterCIDRs: [] })
  table.set('a', { elements: [entry('192.0.2.1', 1), self('10.244.0.2')], chains: [balance(1)] })
  table.set('b', { elements: [entry('192.0.2.1', 2), self('10.244.0.2')], chains: [balance(2)] })
  assert.match(table.full(), /192.0.2.1 \. tcp \. 80 : goto ip-1/)
  table.set('a', { elements: [], chains: [] })
  assert.equal(table.difference(), 'delete element ip t services { 192.0.2.1 . tcp . 80 }\nadd element ip t services { 192.0.2.1 . tcp . 80 : goto ip-2 }\n')
  table.set('b', { elements: [], chains: [] })
  assert.equal(table.difference(), 'delete element ip t services { 192.0.2.1 . tcp . 80 }\ndelete element ip t local-endpoints { 10.244.0.2 . 10.244.0.2 }\n')
})

test('UDP flows to endpoints that went are forgotten, and no other', async () => {
  const at = (key: string, value: string, container: Element['container'] = 'endpoints'): Element => ({ container, key, value })
  const before = [
    at('10.96.0.1 . udp . 53 . 0', '10.244.0.2 . 53'),
    at('10.96.0.1 . udp . 53 . 1', '10.244.0.3 . 53'),
    at('10.96.0.1 . tcp . 53 . 0', '10.244.0.2 . 53'),
    at('udp . 30053 . 0', '10.244.0.2 . 53', 'nodeport-endpoints'),
  ]
  const flows = staleFlows(before, [at('10.96.0.1 . udp . 53 . 0', '10.244.0.3 . 53')])
  assert.deepEqual(flows, [
    { address: '10.96.0.1', port: '53', endpoint: '10.244.0.2' },
    { port: '30053', endpoint: '10.244.0.2' },
  ])
  const calls: string[] = []
  for (const flow of flows) await forgetFlow(flow, async (command, args) => String(calls.push([command, ...args].join(' '))))
  assert.deepEqual(calls, [
    'conntrack -D -p udp --orig-dst 10.96.0.1 --orig-port-dst 53 --reply-src 10.244.0.2',
    'conntrack -D -p udp --orig-port-dst 30053 --reply-src 10.244.0.2',
  ])
})
