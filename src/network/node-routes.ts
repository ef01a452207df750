import { Node } from '../apis/core/node.ts'
import type { Component, ComponentContext } from '../client/component.ts'
import type { V1Node } from '../machinery/schema/generated/types.ts'
import { contains, parseAddress, parseCidr } from './cidr.ts'
import { CommandError, type RunCommand, runCommand } from './command.ts'

export interface NodeRoutesOptions {
  nodeName: string
  run?: RunCommand
}

/** Which way the pods of the other nodes are: by block, the address of their node; simulated nodes have no place to go to. Pure. */
export function desiredRoutes(nodes: readonly V1Node[], nodeName: string): Map<string, string> {
  const routes = new Map<string, string>()
  const own = nodes.find(({ metadata }) => metadata.name === nodeName)?.spec?.podCIDR
  for (const { metadata, spec, status } of nodes) {
    if (metadata.name === nodeName || isSimulated({ metadata })) continue
    const via = status?.addresses?.find(({ type, address }) => type === 'InternalIP' && parseAddress(address) !== undefined)?.address
    const block = spec?.podCIDR
    if (!via || !block || block.includes(':') || block === own) continue
    // A node that shares this network namespace needs no way.
    if (!contains(parseCidr(block), via)) routes.set(block, via)
  }
  return routes
}

const isSimulated = ({ metadata }: Pick<V1Node, 'metadata'>) => metadata.labels?.['skiff.dev/simulated'] === 'true'

/** Keeps the routes to the pods of other nodes, where each node has a network namespace of its own. */
export function startNodeRoutes(context: ComponentContext, { nodeName, run = runCommand }: NodeRoutesOptions): Component {
  const nodes = context.informers.informer(Node)
  const routes = new Map<string, string>()
  let turn: Promise<void> = Promise.resolve()

  async function sync(): Promise<void> {
    const wanted = desiredRoutes(nodes.list(), nodeName)
    for (const block of routes.keys()) {
      if (wanted.has(block)) continue
      await run('ip', ['route', 'delete', block]).catch((error) => {
        if (!(error instanceof CommandError && /No such process/.test(error.stderr))) throw error
      })
      routes.delete(block)
    }
    for (const [block, via] of wanted) {
      if (routes.get(block) === via) continue
      await run('ip', ['route', 'replace', block, 'via', via])
      routes.set(block, via)
    }
  }
  const stopWatching = nodes.onChange(({ object }) => {
    // Of thousands of them each change would be a look at all nodes.
    if (isSimulated(object)) return
    turn = turn.then(sync).catch((error) => context.log.warn('could not set the routes to other nodes', { error }))
  })
  return {
    name: 'node-routes',
    async stop() {
      stopWatching()
      await turn
    },
  }
}
