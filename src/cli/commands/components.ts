/** Each component alone, against any cluster that a kubeconfig leads to: ours, or another Kubernetes. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { createClient } from '../../client/api-client.ts'
import type { Component, ComponentContext } from '../../client/component.ts'
import { createHttpTransport } from '../../client/http-transport.ts'
import { createInformerFactory } from '../../client/informer-factory.ts'
import { loadKubeconfig } from '../../client/kubeconfig.ts'
import type { Election } from '../../client/leader-election.ts'
import { createLogger } from '../../client/logger.ts'
import { meteredTransport } from '../../client/metered-transport.ts'
import { componentMetrics } from '../../cluster/component-metrics.ts'
import { localVolumes } from '../../cluster/local-volumes.ts'
import { defaultKubeconfig } from '../../cluster/pki/kubeconfig.ts'
import { requestSigner } from '../../cluster/pki/request-signer.ts'
import { startStandaloneMetricsServer, startStandalonePages } from '../../cluster/standalone-server.ts'
import { UserError } from '../../cluster/user-error.ts'
import { startControllerManager } from '../../controllers/all-controllers.ts'
import type { CertificateSigner } from '../../controllers/certificate-rules.ts'
import { startClusterDns } from '../../dns/cluster-dns.ts'
import { startIngressController } from '../../ingress/ingress-controller.ts'
import { realClock } from '../../machinery/real-clock.ts'
import { startServiceProxy } from '../../proxy/service-proxy.ts'
import { startScheduler } from '../../scheduler/scheduler.ts'
import type { Command, Option, Values } from '../command.ts'
import { keepAlive } from '../keep-alive.ts'
import { count, port } from '../numbers.ts'

export const kubeconfigOption: Option = { type: 'string', value: 'FILE', help: 'the way to the cluster ($KUBECONFIG, else ~/.kube/config)' }
export const contextOption: Option = { type: 'string', value: 'NAME', help: 'of the kubeconfig; its current one when absent' }
export const electOption: Option = { type: 'string', value: 'true|false', default: 'true', help: 'take part in leader election, so that several may run' }

export const bindOption: Option = { type: 'string', value: 'ADDRESS', default: '127.0.0.1', help: 'where /metrics and health are served' }
const secureOption = (usual: number): Option => ({
  type: 'string',
  value: 'PORT',
  default: '0',
  help: `of /metrics and health over HTTPS, ${usual} upstream; 0: none`,
})
export const metricsOption = (usual: number): Option => ({ type: 'string', value: 'PORT', default: '0', help: `of /metrics, ${usual} upstream; 0: none` })

const kubeconfigFile = (values: Values) => (typeof values.kubeconfig === 'string' ? values.kubeconfig : defaultKubeconfig(process.env))
const contextName = (values: Values) => (typeof values.context === 'string' ? values.context : undefined)

export function connect(values: Values, component: string): ComponentContext {
  const file = kubeconfigFile(values)
  const log = createLogger({ clock: realClock, write: (line) => console.log(line), fields: { component } })
  try {
    const access = loadKubeconfig(file, contextName(values))
    const metrics = componentMetrics()
    const transport = meteredTransport(createHttpTransport(access), { registry: metrics, clock: realClock, host: new URL(access.server).host })
    const client = createClient(transport, { userAgent: component })
    return { client, informers: createInformerFactory({ client, clock: realClock, log }), clock: realClock, log, metrics, span: () => {} }
  } catch (error) {
    throw new UserError(`the kubeconfig ${file} cannot be used: ${error instanceof Error ? error.message : error}`)
  }
}

/** PEM; the kubeconfig's own authority where no file is named, as it is the cluster's. */
export function clusterCa(values: Values): string | undefined {
  const file = values['cluster-ca-file']
  if (typeof file !== 'string') return loadKubeconfig(kubeconfigFile(values), contextName(values)).ca?.toString()
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UserError(`the authority's certificate cannot be read: ${error instanceof Error ? error.message : error}`)
  }
}

function signing(values: Values): { certificateSigner?: CertificateSigner } {
  const [certificate, key] = [values['cluster-signing-cert-file'], values['cluster-signing-key-file']]
  if (typeof certificate !== 'string' && typeof key !== 'string') return {}
  if (typeof certificate !== 'string' || typeof key !== 'string')
    throw new UserError('--cluster-signing-cert-file and --cluster-signing-key-file belong together')
  try {
    return { certificateSigner: requestSigner({ certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') }, realClock) }
  } catch (error) {
    throw new UserError(`the signing authority cannot be read: ${error instanceof Error ? error.message : error}`)
  }
}

export function election(values: Values): { leaderElection?: Election } {
  const elect = values['leader-elect']
  if (elect !== 'true' && elect !== 'false') throw new UserError(`--leader-elect must be true or false, not '${elect}'`)
  return elect === 'true' ? { leaderElection: { identity: `${hostname()}_${realClock.uuid()}` } } : {}
}

/** Runs until a signal ends it. */
/** The component with its pages over HTTPS, where a port was named for them. */
async function withPages(values: Values, context: ComponentContext, name: string, component: () => Component): Promise<Component> {
  const secure = port(values['secure-port'], '--secure-port')
  const pages = secure === 0 ? undefined : await startStandalonePages(context, name, { host: String(values['bind-address']), port: secure })
  const running = component()
  return {
    name,
    async stop() {
      await running.stop()
      await pages?.stop()
    },
  }
}

/** Of a page without encryption. */
export function pagesOn(values: Values): { metrics?: { host: string; port: number } } {
  const chosen = port(values['metrics-port'], '--metrics-port')
  return chosen === 0 ? {} : { metrics: { host: String(values['bind-address']), port: chosen } }
}

export async function runUntilSignal(start: () => Component | Promise<Component>): Promise<number> {
  const component = await start()
  await keepAlive(
    () =>
      new Promise<void>((resolve) => {
        process.once('SIGINT', resolve)
        process.once('SIGTERM', resolve)
      }),
  )
  await component.stop()
  process.exit(0)
}

export const controllerManager: Command = {
  name: 'controller-manager',
  summary: 'Runs all controllers against the cluster of a kubeconfig.',
  options: {
    kubeconfig: kubeconfigOption,
    context: contextOption,
    'leader-elect': electOption,
    'bind-address': bindOption,
    'secure-port': secureOption(10257),
    'cluster-ca-file': { type: 'string', value: 'FILE', help: "PEM, published to every namespace (the kubeconfig's authority)" },
    'cluster-signing-cert-file': { type: 'string', value: 'FILE', help: 'PEM, with which approved certificate requests are signed' },
    'cluster-signing-key-file': { type: 'string', value: 'FILE', help: 'its key; without the two nobody signs' },
    'node-monitor-grace': { type: 'string', value: 'SECONDS', help: 'how long a node may be silent before it is not ready (50)' },
    'volume-dir': { type: 'string', value: 'DIRECTORY', help: 'where volumes of the class standard are made; without it nobody makes them' },
  },
  run: (values) =>
    runUntilSignal(() => {
      const volumes = values['volume-dir']
      const grace = values['node-monitor-grace']
      const context = connect(values, 'kube-controller-manager')
      const options = {
        clusterCa: clusterCa(values),
        ...signing(values),
        ...(typeof grace === 'string' ? { nodeLifecycle: { gracePeriodMs: count(grace, '--node-monitor-grace', 15, 24 * 3600) * 1000 } } : {}),
        ...(typeof volumes === 'string' ? { volumeDirectories: localVolumes(resolve(volumes)) } : {}),
        ...election(values),
      }
      return withPages(values, context, 'kube-controller-manager', () => startControllerManager(context, options))
    }),
}

export const scheduler: Command = {
  name: 'scheduler',
  summary: 'Runs the scheduler against the cluster of a kubeconfig.',
  options: {
    kubeconfig: kubeconfigOption,
    context: contextOption,
    'leader-elect': electOption,
    'bind-address': bindOption,
    'secure-port': secureOption(10259),
    'scheduler-name': { type: 'string', value: 'NAME', default: 'default-scheduler', help: 'whose pods are scheduled' },
  },
  run: (values) =>
    runUntilSignal(() => {
      const context = connect(values, 'kube-scheduler')
      const options = { schedulerName: String(values['scheduler-name']), ...election(values) }
      return withPages(values, context, 'kube-scheduler', () => startScheduler(context, options))
    }),
}

export const proxy: Command = {
  name: 'proxy',
  summary: 'Keeps the nftables rules of this network namespace as the Services are.',
  options: {
    kubeconfig: kubeconfigOption,
    context: contextOption,
    'node-name': { type: 'string', value: 'NAME', default: hostname(), help: 'which node this is' },
    'cluster-cidr': { type: 'string', value: 'CIDR', default: '10.244.0.0/16', help: 'block of all pods' },
    'service-cidr': { type: 'string', value: 'CIDR', default: '10.96.0.0/12', help: 'block of the Services' },
    'bind-address': bindOption,
    'metrics-port': metricsOption(10249),
  },
  run: (values) =>
    runUntilSignal(() =>
      startServiceProxy(connect(values, 'kube-proxy'), {
        nodeName: String(values['node-name']),
        clusterCIDRs: [String(values['cluster-cidr'])],
        serviceCIDR: String(values['service-cidr']),
        ...pagesOn(values),
      }),
    ),
}

export const dns: Command = {
  name: 'dns',
  summary: 'Serves the cluster DNS.',
  options: {
    kubeconfig: kubeconfigOption,
    context: contextOption,
    address: { type: 'string', value: 'ADDRESS', default: '127.0.0.1', help: 'to listen on' },
    port: { type: 'string', value: 'PORT', default: '53', help: 'to listen on, UDP and TCP' },
    domain: { type: 'string', value: 'NAME', default: 'cluster.local', help: 'the cluster domain' },
    'bind-address': bindOption,
    'metrics-port': metricsOption(9153),
  },
  run: (values) =>
    runUntilSignal(() =>
      startClusterDns(connect(values, 'coredns'), {
        listen: [{ address: String(values.address), port: port(values.port, '--port') }],
        domain: String(values.domain),
        upstream: 'host',
        ...pagesOn(values),
      }),
    ),
}

export const ingress: Command = {
  name: 'ingress',
  summary: 'Runs nginx as the Ingresses of the class nginx say.',
  options: {
    kubeconfig: kubeconfigOption,
    context: contextOption,
    address: { type: 'string', value: 'ADDRESS', default: '127.0.0.1', help: 'to listen on' },
    'http-port': { type: 'string', value: 'PORT', default: '8080', help: 'to listen on' },
    'https-port': { type: 'string', value: 'PORT', default: '8443', help: 'to listen on' },
    'publish-address': { type: 'string', value: 'ADDRESS', default: '127.0.0.1', help: 'written into the status of each Ingress' },
    'state-dir': { type: 'string', value: 'DIRECTORY', default: '/run/skiff-ingress', help: 'configuration and certificates' },
    resolver: { type: 'string', value: 'ADDRESS', help: "of the cluster's DNS, for Services of type ExternalName" },
    'bind-address': bindOption,
    'metrics-port': metricsOption(10254),
  },
  run: (values) => {
    const address = String(values.address)
    return runUntilSignal(() =>
      startIngressController(connect(values, 'ingress-nginx'), {
        http: [{ address, port: port(values['http-port'], '--http-port') }],
        https: [{ address, port: port(values['https-port'], '--https-port') }],
        publishAddress: String(values['publish-address']),
        stateDirectory: String(values['state-dir']),
        ...(values.resolver === undefined ? {} : { resolver: String(values.resolver) }),
        ...pagesOn(values),
      }),
    )
  },
}

export const metricsServer: Command = {
  name: 'metrics-server',
  summary: 'Asks the kubelets what is used, and serves it as metrics.k8s.io; an APIService leads to it.',
  options: {
    kubeconfig: kubeconfigOption,
    context: contextOption,
    'bind-address': { ...bindOption, help: 'to listen on' },
    'secure-port': { type: 'string', value: 'PORT', default: '4443', help: 'to listen on' },
    'cluster-ca-file': { type: 'string', value: 'FILE', help: "PEM of who signs the kubelets' certificates (the kubeconfig's authority)" },
    'kubelet-insecure-tls': { type: 'boolean', help: 'take whatever certificate a kubelet shows' },
    'metric-resolution': { type: 'string', value: 'SECONDS', default: '15', help: 'between two questions to a kubelet' },
  },
  run: (values) =>
    runUntilSignal(() => {
      const context = connect(values, 'metrics-server')
      const access = loadKubeconfig(kubeconfigFile(values), contextName(values))
      const ca = clusterCa(values)
      const { certificate, key } = access
      const credentials = {
        ...(ca ? { ca } : {}),
        ...(values['kubelet-insecure-tls'] ? { insecureSkipVerify: true } : {}),
        ...(certificate && key ? { certificate: certificate.toString(), key: key.toString() } : {}),
        token: () => access.authorization()?.replace(/^Bearer /, ''),
      }
      const on = { host: String(values['bind-address']), port: port(values['secure-port'], '--secure-port') }
      return startStandaloneMetricsServer(context, on, {
        kubelet: credentials,
        resolutionMs: count(values['metric-resolution'], '--metric-resolution', 1, 3600) * 1000,
      })
    }),
}
