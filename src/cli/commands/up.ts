import { basename } from 'node:path'
import { mostNodes } from '../../cluster/cluster-network.ts'
import { prepareDataDirectory, type RunningCluster } from '../../cluster/data-directory.ts'
import { kubeconfigEntry } from '../../cluster/kubeconfig-entry.ts'
import { launch } from '../../cluster/launcher.ts'
import { shortestGraceOfJoined, shortestGraceSeconds } from '../../cluster/node-lease.ts'
import { optionalComponents, parseWithout } from '../../cluster/optional-components.ts'
import { checkKubeconfig, defaultKubeconfig, mergeKubeconfig } from '../../cluster/pki/kubeconfig.ts'
import { checkRequirements } from '../../cluster/requirements.ts'
import { parseSimulatedNodes } from '../../cluster/simulated-nodes/simulated-node-options.ts'
import { stopCluster } from '../../cluster/stop.ts'
import { UserError } from '../../cluster/user-error.ts'
import { parseAddress } from '../../network/cidr.ts'
import { autoscalerSettingsFrom } from '../autoscaler-options.ts'
import type { Command } from '../command.ts'
import { kubeletSettingsFrom } from '../kubelet-options.ts'
import { capacity, count, port } from '../numbers.ts'
import { dataDirOf, dataDirOption } from './data-dir.ts'

export const up: Command = {
  name: 'up',
  summary: 'Starts a cluster in namespaces of its own; the host stays as it is.',
  options: {
    detach: { type: 'boolean', help: 'return when it is ready, and leave it running' },
    'data-dir': dataDirOption,
    kubeconfig: { type: 'string', value: 'FILE', help: 'where its context is merged in ($KUBECONFIG, else ~/.kube/config)' },
    'api-port': { type: 'string', value: 'PORT', default: '6443', help: 'of the API, on 127.0.0.1' },
    'http-port': { type: 'string', value: 'PORT', default: '8080', help: 'of the Ingress, on 127.0.0.1' },
    'https-port': { type: 'string', value: 'PORT', default: '8443', help: 'of the Ingress with TLS, on 127.0.0.1' },
    nodes: { type: 'string', value: 'N', default: '1', help: 'at least so many real nodes, each in a network namespace of its own' },
    'node-capacity': { type: 'string', value: 'cpu=2,memory=4Gi', help: "what each of them has; the machine's when absent" },
    kubelet: { type: 'string', value: 'OPTIONS', help: "of 'skiff kubelet', for the nodes of this machine: 'eviction-hard=memory.available<200Mi …'" },
    'join-address': { type: 'string', value: 'ADDRESS', help: "this machine's address under which other machines join ('skiff agent')" },
    'simulated-nodes': { type: 'string', value: 'N', help: 'so many nodes that only pretend to run their pods, beside the real ones' },
    'simulated-node': { type: 'string', value: 'cpu=8,memory=32Gi,pods=110', help: 'what each of them has' },
    'simulated-life': { type: 'string', value: 'JSON', help: 'what containers do there whose pods do not say it' },
    'node-monitor-grace': { type: 'string', value: 'SECONDS', help: 'how long a node may be silent before it is not ready (50)' },
    'cluster-autoscaler': { type: 'string', value: 'OPTIONS', help: "of 'skiff cluster-autoscaler', for the one inside: 'scan-interval=30s …'" },
    without: { type: 'string', value: 'COMPONENTS', help: `leaves out any of ${optionalComponents.join(',')}: others take their place` },
    egress: { type: 'string', value: 'on|off', default: 'on', help: 'whether pods reach the outside' },
  },
  async run(values) {
    const egress = values.egress
    if (egress !== 'on' && egress !== 'off') throw new UserError(`--egress must be on or off, not '${egress}'`)
    const without = parseWithout(typeof values.without === 'string' ? values.without : undefined)
    const simulatedNodes = parseSimulatedNodes({
      count: stringOf(values['simulated-nodes']),
      capacity: stringOf(values['simulated-node']),
      life: stringOf(values['simulated-life']),
    })
    const autoscaler = values['cluster-autoscaler']
    // All that may be refused is looked at before there is a directory.
    const wanted = {
      apiPort: port(values['api-port'], '--api-port'),
      httpPort: port(values['http-port'], '--http-port'),
      httpsPort: port(values['https-port'], '--https-port'),
      egress,
      without,
      ...(simulatedNodes ? { simulatedNodes } : {}),
      nodes: count(values.nodes, '--nodes', 1, mostNodes),
      ...joinAddressOf(values['join-address']),
      ...graceOf(values['node-monitor-grace'], values['join-address'] !== undefined),
      nodeCapacity: capacity(values['node-capacity'], '--node-capacity'),
      ...(typeof values.kubelet === 'string' ? { kubelet: kubeletSettingsFrom(values.kubelet, '--kubelet') } : {}),
      ...(typeof autoscaler === 'string' ? { autoscaler: autoscalerSettingsFrom(autoscaler, '--cluster-autoscaler') } : {}),
    } as const
    const kubeconfig = typeof values.kubeconfig === 'string' ? values.kubeconfig : defaultKubeconfig(process.env)
    await checkKubeconfig(kubeconfig)
    checkRequirements()
    const data = prepareDataDirectory(dataDirOf(values).root)
    const context = data.root === '/var/lib/skiff' ? 'skiff' : `skiff-${basename(data.root)}`
    const started = performance.now()
    const cluster = await launch({ data, ...wanted, context, kubeconfig }, (progress) => {
      if (progress.at === 'api-ready') console.log(`the API is ready (${Math.round(performance.now() - started)} ms)`)
      if (progress.at === 'node-ready') console.log(`the node is ready (${Math.round(performance.now() - started)} ms)`)
    })
    try {
      await mergeKubeconfig(kubeconfig, kubeconfigEntry(data, cluster), { current: true })
      tell(cluster)
    } catch (error) {
      console.error(`skiff: its context could not be merged into ${kubeconfig} (${error instanceof Error ? error.message : error}): use ${data.kubeconfig}`)
    }
    if (values.detach) return 0
    console.log("Ctrl-C stops it ('skiff up --detach' leaves it running)")
    await new Promise<void>((resolve) => {
      process.once('SIGINT', resolve)
      process.once('SIGTERM', resolve)
      // Its end, however it comes, ends this command as well.
      const timer = setInterval(() => {
        try {
          process.kill(cluster.pid, 0)
        } catch {
          clearInterval(timer)
          resolve()
        }
      }, 500)
    })
    console.log('stopping')
    await stopCluster(data)
    return 0
  },
}

function graceOf(value: string | boolean | undefined, machinesJoin: boolean): { nodeMonitorGraceSeconds: number } | undefined {
  if (value === undefined) return undefined
  const seconds = count(value, '--node-monitor-grace', shortestGraceSeconds, 24 * 3600)
  if (machinesJoin && seconds < shortestGraceOfJoined)
    throw new UserError(
      `--node-monitor-grace must be at least ${shortestGraceOfJoined} with --join-address, since machines that join tell every 10 s that they live`,
    )
  return { nodeMonitorGraceSeconds: seconds }
}

const stringOf = (value: unknown) => (typeof value === 'string' ? value : undefined)

function joinAddressOf(value: string | boolean | undefined): { joinAddress?: string } {
  if (typeof value !== 'string') return {}
  if (parseAddress(value) === undefined) throw new UserError(`--join-address takes an IPv4 address of this machine, not '${value}'`)
  return { joinAddress: value }
}

function tell(cluster: RunningCluster): void {
  console.log(`API      https://127.0.0.1:${cluster.apiPort}, as context '${cluster.context}' (now the current one) in ${cluster.kubeconfig}`)
  console.log(`Ingress  http://127.0.0.1:${cluster.httpPort} and https://127.0.0.1:${cluster.httpsPort}`)
}
