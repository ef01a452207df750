/** Gives each node a range of addresses for its pods. */

import { defineController, type Read } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { Node } from '../client/resources.ts'
import type { V1Node } from '../machinery/schema/generated/types.ts'

export interface NodeRangeOptions {
  /** All nodes' ranges lie in it: `10.244.0.0/16`. */
  clusterCidr: string
  /** Bits of a node's range; 24 when absent. */
  nodeMaskSize?: number
}

export function nodeIpamController({ clusterCidr, nodeMaskSize = 24 }: NodeRangeOptions): AnyController {
  const { first, count, size } = rangesOf(clusterCidr, nodeMaskSize)
  /** What was given out, by range, as the cache may not show it yet. */
  const given = new Map<string, string>()

  function freeRange(node: V1Node, { informer }: Read): string | undefined {
    const used = new Map<string, string>()
    for (const { metadata, spec } of informer(Node).list()) if (spec.podCIDR) used.set(spec.podCIDR, metadata.name)
    for (let index = 0; index < count; index++) {
      const range = `${toText(first + index * size)}/${nodeMaskSize}`
      const holder = used.get(range) ?? given.get(range)
      if (holder === undefined || holder === node.metadata.name) return range
    }
    return undefined
  }

  return defineController<V1Node>({
    name: 'node-ipam-controller',
    reconciles: Node,
    workers: 1,
    async reconcile(node, context) {
      if (!node) {
        for (const [range, holder] of given) if (holder === context.key) given.delete(range)
        return
      }
      if (node.spec.podCIDR) return
      const range = freeRange(node, context)
      if (!range) {
        context.event(node, 'Normal', 'CIDRNotAvailable', `Node ${context.key} status is now: CIDRNotAvailable`)
        return { again: 30_000 }
      }
      given.set(range, context.key)
      await context.client.patch(Node, node.metadata, 'merge', { metadata: { uid: node.metadata.uid }, spec: { podCIDR: range, podCIDRs: [range] } })
      return
    },
  })
}

function rangesOf(cidr: string, nodeMaskSize: number): { first: number; count: number; size: number } {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr)
  const mask = Number(match?.[5])
  if (!match || mask > nodeMaskSize || nodeMaskSize > 30) throw new Error(`${cidr} cannot be divided into ranges of /${nodeMaskSize}`)
  const address = match.slice(1, 5).reduce((sum, part) => sum * 256 + Number(part), 0)
  const whole = 2 ** (32 - mask)
  return { first: address - (address % whole), count: 2 ** (nodeMaskSize - mask), size: 2 ** (32 - nodeMaskSize) }
}

const toText = (address: number): string => [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')
