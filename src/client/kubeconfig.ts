/** Reads how to reach a cluster, and as whom, from a kubeconfig or from inside a pod. */
import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'

/** What a connection needs to know. */
export interface ServerAccess {
  server: string
  ca?: string | Buffer
  certificate?: string | Buffer
  key?: string | Buffer
  insecureSkipVerify?: boolean
  /** Checked against the server's certificate in place of the host of `server`. */
  serverName?: string
  /** The Authorization header of the next request; tokens in files are read again when they change. */
  authorization(): string | undefined
  /** The context's namespace. */
  namespace?: string
}

interface KubeconfigFile {
  'current-context'?: string
  clusters?: { name: string; cluster: Record<string, unknown> }[]
  users?: { name: string; user: Record<string, unknown> }[]
  contexts?: { name: string; context: { cluster: string; user: string; namespace?: string } }[]
}

export class KubeconfigError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'KubeconfigError'
  }
}

export function loadKubeconfig(file: string, contextName?: string): ServerAccess {
  return parseKubeconfig(readFileSync(file, 'utf8'), { contextName, directory: dirname(file) })
}

export function parseKubeconfig(text: string, { contextName, directory = '.' }: { contextName?: string; directory?: string } = {}): ServerAccess {
  const config = parse(text) as KubeconfigFile | null
  const wanted = contextName ?? config?.['current-context']
  const context = config?.contexts?.find(({ name }) => name === wanted)?.context
  if (!context) throw new KubeconfigError(wanted ? `context "${wanted}" does not exist` : 'current-context is not set')
  const cluster = config?.clusters?.find(({ name }) => name === context.cluster)?.cluster
  if (!cluster) throw new KubeconfigError(`cluster "${context.cluster}" does not exist`)
  const user = config?.users?.find(({ name }) => name === context.user)?.user ?? {}
  if (user.exec || user['auth-provider']) throw new KubeconfigError(`user "${context.user}": exec and auth-provider are not supported`)
  const server = string(cluster.server)
  if (!server) throw new KubeconfigError(`cluster "${context.cluster}" has no server`)
  const content = (from: Record<string, unknown>, field: string): Buffer | undefined => {
    const data = string(from[`${field}-data`])
    if (data) return Buffer.from(data, 'base64')
    const path = string(from[field])
    return path ? readFileSync(resolve(directory, path)) : undefined
  }
  return {
    server,
    ca: content(cluster, 'certificate-authority'),
    certificate: content(user, 'client-certificate'),
    key: content(user, 'client-key'),
    insecureSkipVerify: cluster['insecure-skip-tls-verify'] === true,
    serverName: string(cluster['tls-server-name']),
    authorization: authorizationOf(user, directory),
    namespace: context.namespace,
  }
}

/** From the service account that is mounted in every pod. */
export function inClusterAccess(environment: Record<string, string | undefined>, directory = '/var/run/secrets/kubernetes.io/serviceaccount'): ServerAccess {
  const host = environment.KUBERNETES_SERVICE_HOST
  const port = environment.KUBERNETES_SERVICE_PORT
  if (!host || !port) throw new KubeconfigError('not inside a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be set')
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: readFileSync(`${directory}/ca.crt`),
    authorization: bearerFromFile(`${directory}/token`),
    namespace: readFileSync(`${directory}/namespace`, 'utf8').trim(),
  }
}

function authorizationOf(user: Record<string, unknown>, directory: string): () => string | undefined {
  const tokenFile = string(user.tokenFile)
  if (tokenFile) return bearerFromFile(resolve(directory, tokenFile))
  const token = string(user.token)
  if (token) return () => `Bearer ${token}`
  const name = string(user.username)
  if (name) {
    const basic = Buffer.from(`${name}:${string(user.password) ?? ''}`).toString('base64')
    return () => `Basic ${basic}`
  }
  return () => undefined
}

/** Service account tokens are rotated in place: a changed file is read again. */
function bearerFromFile(path: string): () => string {
  let readAt = -1
  let header = ''
  return () => {
    const changed = statSync(path).mtimeMs
    if (changed !== readAt) {
      header = `Bearer ${readFileSync(path, 'utf8').trim()}`
      readAt = changed
    }
    return header
  }
}

const string = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
