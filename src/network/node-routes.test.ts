import assert from 'node:assert/strict'
import { test } from 'node:test'
import { componentContext } from '../../test/tools/component-context.ts'
import { eventually } from '../../test/tools/network-namespace.ts'
import { Node } from '../apis/core/node.ts'
import { startNodeRoutes } from './node-routes.ts'

test('routes follow the other nodes', async () => {
  const context = componentContext()
  const commands: string[] = []
  const routes = startNodeRoutes(context, { nodeName: 'one', run: async (command, args) => String(commands.push([command, ...args].join(' '))) })
  const add = async (name: string, podCIDR: string, address: string) => {
    const node = await context.client.create(Node, { metadata: { name }, spec: { podCIDR } })
    await context.client.updateStatus(Node, { ...node, status: { addresses: [{ type: 'InternalIP', address }] } })
  }
  await add('one', '10.244.0.0/24', '192.168.99.1')
  await add('two', '10.244.1.0/24', '192.168.99.2')
  await add('inside', '10.244.2.0/24', '10.244.2.1')
  await eventually('route', () => commands.length === 1)
  await context.client.delete(Node, { name: 'two' })
  await eventually('gone', () => commands.length === 2)
  assert.deepEqual(commands, ['ip route replace 10.244.1.0/24 via 192.168.99.2', 'ip route delete 10.244.1.0/24'])
  await routes.stop()
  context.informers.stop()
})
