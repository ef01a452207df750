/** `skiff agent`: this machine becomes a node of a cluster that runs on another. */
import { hostname } from 'node:os'
import { createLogger } from '../../client/logger.ts'
import { joinMachine, runningMachine, stopMachine } from '../../cluster/nodes/joined-machine.ts'
import { checkRequirements } from '../../cluster/requirements.ts'
import { UserError } from '../../cluster/user-error.ts'
import { realClock } from '../../machinery/real-clock.ts'
import { parseAddress } from '../../network/cidr.ts'
import type { Command, Values } from '../command.ts'
import { kubeletSettingsFrom } from '../kubelet-options.ts'
import { capacity } from '../numbers.ts'
import { dataDirOf } from './data-dir.ts'

const text = (values: Values, name: string) => (typeof values[name] === 'string' ? values[name] : undefined)

export const agent: Command = {
  name: 'agent',
  summary: 'Joins the cluster of another machine as a node, in namespaces of its own; the machine stays as it is.',
  options: {
    server: { type: 'string', value: 'URL', help: "how the cluster's API is reached: https://192.0.2.1:6443" },
    token: { type: 'string', value: 'ID.SECRET', help: "from 'skiff token create'; needed the first time" },
    'ca-hash': { type: 'string', value: 'sha256:HEX', help: "of the cluster's authority, so that no other can pass for it" },
    'node-name': { type: 'string', value: 'NAME', default: hostname().toLowerCase(), help: 'of the node' },
    address: { type: 'string', value: 'ADDRESS', help: "this machine's own, on the network that it shares with the others; found out when absent" },
    'data-dir': { type: 'string', value: 'DIRECTORY', default: '/var/lib/skiff-agent', help: 'where all that must survive is kept' },
    capacity: { type: 'string', value: 'cpu=2,memory=4Gi', help: "what the node has; the machine's when absent" },
    kubelet: { type: 'string', value: 'OPTIONS', help: "of 'skiff kubelet': 'eviction-hard=memory.available<200Mi …'" },
    detach: { type: 'boolean', help: 'return when it runs, and leave it running' },
    egress: { type: 'string', value: 'on|off', default: 'on', help: 'whether pods reach the outside' },
  },
  async run(values) {
    const server = text(values, 'server')
    if (!server) throw new UserError("--server is missing: 'skiff token create --print-join-command' there prints the whole command")
    const address = text(values, 'address')
    if (address !== undefined && parseAddress(address) === undefined) throw new UserError(`--address takes an IPv4 address of this machine, not '${address}'`)
    const egress = values.egress
    if (egress !== 'on' && egress !== 'off') throw new UserError(`--egress must be on or off, not '${egress}'`)
    checkRequirements()
    const data = dataDirOf(values)
    const kubelet = text(values, 'kubelet')
    const [token, caHash] = [text(values, 'token'), text(values, 'ca-hash')]
    const joined = await joinMachine({
      server,
      ...(token ? { token } : {}),
      ...(caHash ? { caHash } : {}),
      ...(address ? { address } : {}),
      nodeName: String(values['node-name']),
      dataDir: data.root,
      egress,
      labels: {},
      taints: [],
      capacity: capacity(values.capacity, '--capacity'),
      ...(kubelet === undefined ? {} : { kubelet: kubeletSettingsFrom(kubelet, '--kubelet') }),
      clock: realClock,
      log: createLogger({ clock: realClock, write: (line) => console.log(line), level: 'warn' }),
    })
    console.log(`this machine is the node '${joined.nodeName}' with the address ${joined.address}; its log is in ${data.logs}/agent.log`)
    if (values.detach) return 0
    console.log("Ctrl-C stops it ('skiff agent --detach' leaves it running)")
    await new Promise<void>((resolve) => {
      process.once('SIGINT', resolve)
      process.once('SIGTERM', resolve)
      const timer = setInterval(() => {
        if (runningMachine(data, joined.nodeName, realClock)) return
        clearInterval(timer)
        resolve()
      }, 500)
    })
    console.log('stopping')
    await stopMachine(data, realClock)
    return 0
  },
}
