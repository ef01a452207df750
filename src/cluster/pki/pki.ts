/**
 * All certificates and keys of a cluster, kept in a directory with kubeadm's file names, made at the first
 * start, found again at the next, and renewed when a quarter of their life is left.
 */
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import type { Clock } from '../../machinery/clock.ts'
import { type CertificateRequest, createAuthority, issueCertificate, type KeyPair } from './certificate-authority.ts'
import { readIfThere, readKeyPair, stillGood, writeKeyPair, writeOwnerOnly } from './key-pair-file.ts'

export interface PkiOptions {
  clock: Clock
  /** First address of the Service range; the API server answers there for pods. */
  serviceAddress?: string
  clusterDomain?: string
  /** Further names or addresses under which the API server is reached. */
  extraNames?: string[]
}

export const componentUsers = {
  'kube-controller-manager': 'system:kube-controller-manager',
  'kube-scheduler': 'system:kube-scheduler',
  'kube-proxy': 'system:kube-proxy',
} as const

export interface Pki {
  readonly dir: string
  /** Signs serving and client certificates; trusted for client certificates. */
  readonly ca: KeyPair
  /** Signs the certificate by which the API server proves itself to extension API servers. */
  readonly frontProxyCa: KeyPair
  /** Signs service account tokens (ES256). PEM. */
  readonly serviceAccount: { privateKey: string; publicKey: string }
  readonly serving: KeyPair
  /** {@link serving}, or the one that follows it when its time comes. */
  currentServing(): Promise<KeyPair>
  /** `kubernetes-admin`, of `system:masters`. */
  readonly admin: KeyPair
  /** With which the API server reaches kubelets. */
  readonly kubeletClient: KeyPair
  readonly frontProxyClient: KeyPair
  component(name: keyof typeof componentUsers): Promise<KeyPair>
  /** A kubelet's own user: `system:node:NAME` of `system:nodes`. */
  nodeClient(nodeName: string): Promise<KeyPair>
  kubeletServing(nodeName: string, addresses: string[]): Promise<KeyPair>
  /** Of an extension API server, under the names of its Service. */
  extensionServing(name: string, dnsNames: string[], addresses: string[]): Promise<KeyPair>
  /** Any client certificate; kept under `clients/FILE`. */
  client(file: string, commonName: string, organizations?: string[]): Promise<KeyPair>
}

const isAddress = (name: string) => name.includes(':') || /^\d+(\.\d+){3}$/.test(name)

function servingRequest(options: PkiOptions): CertificateRequest {
  const domain = options.clusterDomain ?? 'cluster.local'
  const extra = options.extraNames ?? []
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', `kubernetes.default.svc.${domain}`]
  const addresses = ['127.0.0.1', '::1', options.serviceAddress ?? '10.96.0.1']
  return {
    commonName: 'kube-apiserver',
    usages: ['server'],
    dnsNames: [...new Set([...names, ...extra.filter((name) => !isAddress(name))])],
    addresses: [...new Set([...addresses, ...extra.filter(isAddress)])],
  }
}

async function ensureAuthority(dir: string, name: string, commonName: string, now: number): Promise<KeyPair> {
  const found = await readKeyPair(dir, name)
  if (found) return found
  const made = await createAuthority(commonName, now)
  await writeKeyPair(dir, name, made)
  return made
}

async function ensureServiceAccountKey(dir: string): Promise<Pki['serviceAccount']> {
  const file = join(dir, 'sa.key')
  let privateKey = await readIfThere(file)
  if (privateKey === undefined) {
    privateKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    await writeOwnerOnly(file, privateKey)
  }
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
  if ((await readIfThere(join(dir, 'sa.pub'))) !== publicKey) await writeOwnerOnly(join(dir, 'sa.pub'), publicKey)
  return { privateKey, publicKey }
}

export async function ensurePki(dir: string, options: PkiOptions): Promise<Pki> {
  const now = options.clock.now()
  const [ca, frontProxyCa, serviceAccount] = await Promise.all([
    ensureAuthority(dir, 'ca', 'kubernetes', now),
    ensureAuthority(dir, 'front-proxy-ca', 'front-proxy-ca', now),
    ensureServiceAccountKey(dir),
  ])

  async function ensure(file: string, authority: KeyPair, request: CertificateRequest): Promise<KeyPair> {
    const at = options.clock.now()
    const found = await readKeyPair(dir, file)
    if (found && stillGood(found, authority, request, at)) return found
    const made = await issueCertificate(authority, request, at)
    await writeKeyPair(dir, file, made)
    return made
  }
  const client = (file: string, commonName: string, organizations: string[] = []) =>
    ensure(join('clients', file), ca, { commonName, organizations, usages: ['client'] })

  const currentServing = () => ensure('apiserver', ca, servingRequest(options))
  const [serving, admin, kubeletClient, frontProxyClient] = await Promise.all([
    currentServing(),
    client('admin', 'kubernetes-admin', ['system:masters']),
    ensure('apiserver-kubelet-client', ca, { commonName: 'kube-apiserver-kubelet-client', organizations: ['system:masters'], usages: ['client'] }),
    ensure('front-proxy-client', frontProxyCa, { commonName: 'front-proxy-client', usages: ['client'] }),
  ])
  return {
    dir,
    ca,
    frontProxyCa,
    serviceAccount,
    serving,
    currentServing,
    admin,
    kubeletClient,
    frontProxyClient,
    client,
    component: (name) => client(name, componentUsers[name]),
    nodeClient: (nodeName) => client(`node-${nodeName}`, `system:node:${nodeName}`, ['system:nodes']),
    extensionServing: (name, dnsNames, addresses) => ensure(join('extensions', name), ca, { commonName: name, usages: ['server'], dnsNames, addresses }),
    kubeletServing: (nodeName, addresses) =>
      ensure(join('nodes', nodeName), ca, {
        commonName: `system:node:${nodeName}`,
        organizations: ['system:nodes'],
        usages: ['server'],
        dnsNames: [nodeName],
        addresses,
      }),
  }
}
