/**
 * How a machine becomes a node of a cluster that it knows by address and token alone: it finds the cluster's authority,
 * asks for a certificate under its name, and keeps it; at the next start it is known by that, and needs no token.
 */
import { parseBootstrapToken } from '../../apis/core/bootstrap-token.ts'
import { createClient } from '../../client/api-client.ts'
import type { Logger } from '../../client/component.ts'
import { createHttpTransport } from '../../client/http-transport.ts'
import { Node } from '../../client/resources.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isDnsSubdomain } from '../../machinery/names.ts'
import { UserError } from '../user-error.ts'
import { isPin, matchesPin } from './authority-pin.ts'
import { type NodeCredentials, readCredentials, writeCredentials } from './credential-files.ts'
import { discoverAuthority } from './discover.ts'
import { explained, isDistrust, nameForm, nameTaken, otherAuthority, tokenForm } from './join-error.ts'
import { requestClientCertificate } from './request-certificate.ts'

export interface JoinOptions {
  /** `https://HOST:PORT`. */
  server: string
  /** `ID.SECRET`; needed where the directory holds no credentials that still count. */
  token?: string
  /** `sha256:HEX`: the cluster's authority must be this one. */
  caHash?: string
  nodeName: string
  /** Where the credentials are kept. */
  directory: string
  clock: Clock
  log: Logger
  /** How long the server may be unreachable before that is an error; 10 s when absent. */
  patienceMs?: number
  signal?: AbortSignal
}

/** It is the value of a label, too. */
const longestName = 63

/** Throws a {@link UserError} for words that cannot be meant, whatever the cluster says. */
export function checkWords({ nodeName, caHash, token }: Pick<JoinOptions, 'nodeName' | 'caHash' | 'token'>): void {
  if (isDnsSubdomain(nodeName).length > 0 || nodeName.length > longestName) throw nameForm(nodeName)
  if (caHash !== undefined && !isPin(caHash)) throw new UserError('--ca-hash has the form sha256:HEX, with 64 hexadecimal digits')
  if (token !== undefined && !parseBootstrapToken(token)) throw tokenForm()
}

/** Throws a {@link UserError} for all that a person can mend. */
export async function join(options: JoinOptions): Promise<NodeCredentials> {
  const { server, nodeName, directory, clock, log, caHash } = options
  checkWords(options)
  const kept = await readCredentials(directory, nodeName, clock.now())
  if (kept && (await stillCounts(kept, options))) return kept
  const token = parseBootstrapToken(options.token ?? '')
  if (!token) throw new UserError(`this machine has no credentials of a node '${nodeName}' that still count: join with --token`)
  const { signal, patienceMs = 10_000 } = options
  const bounds = { clock, ...(signal ? { signal } : {}) }
  const ca = await discoverAuthority({ server, token, patienceMs, ...bounds, ...(caHash ? { caHash } : {}) })
  const transport = createHttpTransport({ server, ca, authorization: () => `Bearer ${token.id}.${token.secret}` })
  try {
    const client = createClient(transport, { userAgent: 'skiff-join' })
    const isReady = (await client.find(Node, { name: nodeName }))?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
    if (isReady) throw nameTaken(nodeName)
    const credentials = { ca, client: await requestClientCertificate({ client, nodeName, ...bounds }) }
    await writeCredentials(directory, credentials)
    log.info('joined the cluster', { server, node: nodeName })
    return credentials
  } catch (error) {
    throw explained(error, server, token.id)
  } finally {
    transport.close()
  }
}

/**
 * Kept credentials of another cluster are of no use: with a token the node joins this one. A server that does not answer
 * now says nothing about them.
 */
async function stillCounts(kept: NodeCredentials, { server, nodeName, caHash, token, clock, log }: JoinOptions): Promise<boolean> {
  if (caHash && !matchesPin(kept.ca, caHash)) {
    if (token === undefined) throw otherAuthority(server)
    return false
  }
  const { certificate, key } = kept.client
  const transport = createHttpTransport({ server, ca: kept.ca, certificate, key, authorization: () => undefined })
  const timeout = new AbortController()
  const limit = clock.after(5000, () => timeout.abort(new Error('no answer')))
  try {
    const { status } = await transport.request({ method: 'GET', path: `/api/v1/nodes/${nodeName}`, signal: timeout.signal })
    if (status !== 401) return true
    log.warn('the cluster does not accept the certificate of this node any more')
    return token === undefined
  } catch (error) {
    if (!isDistrust(error)) return true
    if (token === undefined) throw explained(error, server)
    return false
  } finally {
    limit.cancel()
    transport.close()
  }
}
