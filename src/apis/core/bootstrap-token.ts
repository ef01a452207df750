/**
 * Bootstrap tokens: `ID.SECRET`, with which a node that nobody knows yet asks for its first certificate. Each is kept
 * in a Secret of its own in kube-system, whose data says what it is good for and until when.
 */
import type { V1Secret } from '../../machinery/schema/generated/types.ts'

export const bootstrapTokenType = 'bootstrap.kubernetes.io/token'
export const bootstrapTokenNamespace = 'kube-system'
export const bootstrappersGroup = 'system:bootstrappers'
/** The group whose members may join nodes, as kubeadm names it. */
export const nodeBootstrappersGroup = 'system:bootstrappers:kubeadm:default-node-token'
/** In kube-public: the cluster's address and authority, with a signature by each token. */
export const clusterInfo = { name: 'cluster-info', namespace: 'kube-public' } as const
export const signaturePrefix = 'jws-kubeconfig-'

const idForm = /^[a-z0-9]{6}$/
const secretForm = /^[a-z0-9]{16}$/
export const isBootstrapGroup = (group: string): boolean => /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/.test(group)

export const bootstrapSecretName = (id: string): string => `bootstrap-token-${id}`

export interface BootstrapToken {
  id: string
  secret: string
}

/** Undefined for what has not the form of a token. */
export function parseBootstrapToken(text: string): BootstrapToken | undefined {
  const [id = '', secret = '', ...more] = text.split('.')
  return more.length === 0 && idForm.test(id) && secretForm.test(secret) ? { id, secret } : undefined
}

export interface BootstrapTokenRecord extends BootstrapToken {
  /** Milliseconds since the epoch; absent: it never ends. NaN where what is written is no time: it counts as over. */
  expiration: number | undefined
  authentication: boolean
  signing: boolean
  /** As written, unchecked. */
  extraGroups: string[]
  description: string
}

/** What a Secret says of its token; undefined where it is not one, or not under the name that its id demands. */
export function readBootstrapToken({ metadata, type, data = {} }: V1Secret): BootstrapTokenRecord | undefined {
  if (type !== bootstrapTokenType || metadata.namespace !== bootstrapTokenNamespace) return undefined
  const text = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString()
  const [id, secret, expiration] = [text('token-id'), text('token-secret'), text('expiration')]
  if (!idForm.test(id) || secret === '' || metadata.name !== bootstrapSecretName(id)) return undefined
  return {
    id,
    secret,
    expiration: expiration === '' ? undefined : Date.parse(expiration),
    authentication: text('usage-bootstrap-authentication') === 'true',
    signing: text('usage-bootstrap-signing') === 'true',
    extraGroups: text('auth-extra-groups')
      .split(',')
      .map((group) => group.trim())
      .filter((group) => group !== ''),
    description: text('description'),
  }
}

/** Written so that what cannot be read as a time is over. */
export const hasExpired = ({ expiration }: BootstrapTokenRecord, now: number): boolean => expiration !== undefined && !(now < expiration)
