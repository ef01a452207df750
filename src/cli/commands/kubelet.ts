/** A node alone, against any cluster that a kubeconfig leads to: kubelet, container runtime and pod network, where it is started. */
import { mkdirSync, readFileSync } from 'node:fs'
import { hostname, networkInterfaces } from 'node:os'
import { join, resolve } from 'node:path'
import { startNode } from '../../cluster/node.ts'
import { createAuthority, issueCertificate, type KeyPair } from '../../cluster/pki/certificate-authority.ts'
import { UserError } from '../../cluster/user-error.ts'
import { realClock } from '../../machinery/real-clock.ts'
import type { Command, Values } from '../command.ts'
import { kubeletOptions, kubeletSettings } from '../kubelet-options.ts'
import { clusterCa, connect, contextOption, kubeconfigOption, runUntilSignal } from './components.ts'

function file(values: Values, option: string): string {
  try {
    return readFileSync(String(values[option]), 'utf8')
  } catch (error) {
    throw new UserError(`--${option} cannot be read: ${error instanceof Error ? error.message : error}`)
  }
}

function ownAddress(): string {
  const found = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)
  if (!found) throw new UserError('this network has no address of its own: --node-ip says one')
  return found.address
}

/** The pair of the files, or one that nobody has signed, as upstream's kubelet makes. */
async function servingPair(values: Values, name: string, address: string): Promise<KeyPair> {
  const [certificate, key] = [values['tls-cert-file'], values['tls-private-key-file']]
  if ((certificate === undefined) !== (key === undefined)) throw new UserError('--tls-cert-file and --tls-private-key-file belong together')
  if (certificate !== undefined) return { certificate: file(values, 'tls-cert-file'), key: file(values, 'tls-private-key-file') }
  const now = realClock.now()
  return issueCertificate(await createAuthority(`${name}-ca`, now), { commonName: name, dnsNames: [name], addresses: [address], usages: ['server'] }, now)
}

export const kubelet: Command = {
  name: 'kubelet',
  summary: 'Runs a node: in the network it is started in, best by `unshare --mount --pid --fork --mount-proc`.',
  options: {
    kubeconfig: kubeconfigOption,
    context: contextOption,
    'node-name': { type: 'string', value: 'NAME', default: hostname(), help: 'under which it registers' },
    'node-ip': { type: 'string', value: 'ADDRESS', help: "the node's own address, to listen on (the first that is not the loopback)" },
    'root-dir': { type: 'string', value: 'DIRECTORY', default: '/var/lib/skiff-kubelet', help: 'images, containers and volumes' },
    'state-dir': { type: 'string', value: 'DIRECTORY', default: '/run/skiff-kubelet', help: 'what need not outlive the machine; in memory' },
    'pod-cidr': { type: 'string', value: 'CIDR', default: '10.244.0.0/24', help: 'block of its pods' },
    'cluster-cidr': { type: 'string', value: 'CIDR', default: '10.244.0.0/16', help: 'block of all pods' },
    'service-cidr': { type: 'string', value: 'CIDR', default: '10.96.0.0/12', help: 'block of the Services' },
    'cluster-dns': { type: 'string', value: 'ADDRESS', default: '10.96.0.10', help: 'for the resolver configuration of pods' },
    'cluster-domain': { type: 'string', value: 'NAME', default: 'cluster.local', help: 'for the same' },
    'client-ca-file': { type: 'string', value: 'FILE', help: "PEM, of who may call the kubelet (the kubeconfig's authority)" },
    'tls-cert-file': { type: 'string', value: 'FILE', help: 'PEM, that the kubelet shows (one of its own)' },
    'tls-private-key-file': { type: 'string', value: 'FILE', help: 'its key' },
    ...kubeletOptions,
  },
  run: (values) =>
    runUntilSignal(async () => {
      const settings = kubeletSettings(values)
      const context = connect(values, 'kubelet')
      const nodeName = String(values['node-name'])
      const address = typeof values['node-ip'] === 'string' ? values['node-ip'] : ownAddress()
      const clientCa = values['client-ca-file'] === undefined ? clusterCa(values) : file(values, 'client-ca-file')
      if (!clientCa) throw new UserError('the kubeconfig names no authority: --client-ca-file does')
      const root = resolve(String(values['root-dir']))
      const run = resolve(String(values['state-dir']))
      for (const directory of [root, run]) mkdirSync(directory, { recursive: true })
      const serving = await servingPair(values, nodeName, address)
      return startNode({
        nodeName,
        address,
        data: { root, run, kubelet: join(root, 'kubelet') },
        cgroupRoot: `/skiff-kubelet-${nodeName}`,
        serving,
        clientCa,
        podCIDR: String(values['pod-cidr']),
        clusterCIDR: String(values['cluster-cidr']),
        serviceCIDR: String(values['service-cidr']),
        clusterDNS: String(values['cluster-dns']),
        clusterDomain: String(values['cluster-domain']),
        settings,
        kubelet: context,
        proxy: undefined,
      })
    }),
}
