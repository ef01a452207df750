import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { V1Node } from '../machinery/schema/generated/types.ts'
import { desiredPeers, machineAddressAnnotation } from './overlay.ts'

const node = (name: string, address?: string) =>
  ({ metadata: { name, ...(address === undefined ? {} : { annotations: { [machineAddressAnnotation]: address } }) }, spec: {} }) as V1Node

describe('the machines of an overlay', () => {
  it('are those of the other nodes, each once', () => {
    const nodes = [node('node-1', '192.0.2.1'), node('node-2', '192.0.2.1'), node('far', '192.0.2.2'), node('further', '192.0.2.3')]
    assert.deepEqual([...desiredPeers(nodes, '192.0.2.1')], ['192.0.2.2', '192.0.2.3'])
  })

  it('are none for nodes that say none, or what is no address', () => {
    assert.deepEqual([...desiredPeers([node('plain'), node('wrong', 'example.com; reboot')], '192.0.2.1')], [])
  })
})
