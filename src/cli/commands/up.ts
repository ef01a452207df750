import { basename } from 'node:path'
import { prepareDataDirectory, type RunningCluster } from '../../cluster/data-directory.ts'
import { kubeconfigEntry } from '../../cluster/kubeconfig-entry.ts'
import { launch } from '../../cluster/launcher.ts'
import { optionalComponents, parseWithout } from '../../cluster/optional-components.ts'
import { defaultKubeconfig, mergeKubeconfig } from '../../cluster/pki/kubeconfig.ts'
import { checkRequirements } from '../../cluster/requirements.ts'
import { stopCluster } from '../../cluster/stop.ts'
import { UserError } from '../../cluster/user-error.ts'
import type { Command } from '../command.ts'
import { port } from '../numbers.ts'
import { dataDirOption } from './data-dir.ts'

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
    without: { type: 'string', value: 'COMPONENTS', help: `leaves out any of ${optionalComponents.join(',')}: others take their place` },
    egress: { type: 'string', value: 'on|off', default: 'on', help: 'whether pods reach the outside' },
  },
  async run(values) {
    const egress = values.egress
    if (egress !== 'on' && egress !== 'off') throw new UserError(`--egress must be on or off, not '${egress}'`)
    const without = parseWithout(typeof values.without === 'string' ? values.without : undefined)
    checkRequirements()
    const data = prepareDataDirectory(String(values['data-dir']))
    const context = data.root === '/var/lib/skiff' ? 'skiff' : `skiff-${basename(data.root)}`
    const kubeconfig = typeof values.kubeconfig === 'string' ? values.kubeconfig : defaultKubeconfig(process.env)
    const started = performance.now()
    const cluster = await launch(
      {
        data,
        apiPort: port(values['api-port'], '--api-port'),
        httpPort: port(values['http-port'], '--http-port'),
        httpsPort: port(values['https-port'], '--https-port'),
        egress,
        without,
        context,
        kubeconfig,
      },
      (progress) => {
        if (progress.at === 'api-ready') console.log(`the API is ready (${Math.round(performance.now() - started)} ms)`)
        if (progress.at === 'node-ready') console.log(`the node is ready (${Math.round(performance.now() - started)} ms)`)
      },
    )
    await mergeKubeconfig(kubeconfig, kubeconfigEntry(data, cluster), { current: true })
    tell(cluster)
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

function tell(cluster: RunningCluster): void {
  console.log(`API      https://127.0.0.1:${cluster.apiPort}, as context '${cluster.context}' (now the current one) in ${cluster.kubeconfig}`)
  console.log(`Ingress  http://127.0.0.1:${cluster.httpPort} and https://127.0.0.1:${cluster.httpsPort}`)
}
