/** `skiff node`: the machines of a cluster, and what befalls them. */
import { createHttpTransport } from '../../client/http-transport.ts'
import { loadKubeconfig } from '../../client/kubeconfig.ts'
import { nodeAddressOf, podBlock } from '../../cluster/cluster-network.ts'
import { runningCluster } from '../../cluster/data-directory.ts'
import type { LocalNodeState } from '../../cluster/nodes/local-node.ts'
import { type NodeList, nodeActions, nodesPath } from '../../cluster/nodes/node-control.ts'
import { UserError } from '../../cluster/user-error.ts'
import type { Command } from '../command.ts'
import { dataDirOf, dataDirOption } from './data-dir.ts'

const done: Record<(typeof nodeActions)[number], string> = {
  start: 'runs',
  stop: 'is off',
  kill: 'is off, as when its power failed',
  partition: 'is cut off; its processes go on',
  heal: 'is connected again',
  create: 'runs',
  remove: "is gone; its Node stays until 'kubectl delete node' takes it out, too",
}

export const node: Command = {
  name: 'node',
  summary: `Lists the nodes of this machine, and does to them what befalls machines: ${nodeActions.join(', ')}.`,
  usage: `ls | ${nodeActions.join('|')} NAME`,
  options: { 'data-dir': dataDirOption },
  async run(values, [verb = 'ls', name, ...rest]) {
    const data = dataDirOf(values)
    if (!runningCluster(data)) throw new UserError(`no cluster is running over ${data.root}: 'skiff up' starts one`)
    const transport = createHttpTransport(loadKubeconfig(data.kubeconfig))
    const ask = async (method: 'GET' | 'POST', path: string): Promise<unknown> => {
      const { status, object } = await transport.request({ method, path })
      if (status !== 200) throw new UserError((object as { message?: string } | undefined)?.message ?? `the server answered ${status}`)
      return object
    }
    try {
      if (verb === 'ls') {
        const { first, items } = (await ask('GET', nodesPath)) as NodeList
        console.log(row('NAME', 'STATE', 'LINK', 'ADDRESS', 'PODS', 'POOL'))
        console.log(row(first, 'running', 'up', nodeAddressOf(0), podBlock(0), 'default'))
        for (const one of items) console.log(rowOf(one))
        return 0
      }
      const action = nodeActions.find((one) => one === verb)
      if (!action) throw new UserError(`'skiff node' takes ls, ${nodeActions.join(', ')}, and '${verb}' is none of them`)
      if (!name || rest.length > 0) throw new UserError(`'skiff node ${action}' takes the name of one node: 'skiff node ls' lists them`)
      await ask('POST', `${nodesPath}/${encodeURIComponent(name)}/${action}`)
      console.log(`${name} ${done[action]}`)
      return 0
    } finally {
      transport.close()
    }
  },
}

const widths = [24, 10, 6, 16, 18, 0]
const row = (...cells: string[]) => cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('')
const rowOf = ({ name, state, connected, address, podCIDR, pool }: LocalNodeState) =>
  row(name, state, state === 'stopped' ? '-' : connected ? 'up' : 'cut', address, podCIDR, pool)
