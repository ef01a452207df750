/**
 * Finds out which authority a cluster has, from its public ConfigMap, over a connection that nothing is trusted of yet.
 * The text counts when the token has signed it; the authority, when it is the pinned one.
 */
import { parse } from 'yaml'
import { type BootstrapToken, clusterInfo, signaturePrefix } from '../../apis/core/bootstrap-token.ts'
import { createClient } from '../../client/api-client.ts'
import { createHttpTransport } from '../../client/http-transport.ts'
import { ConfigMap } from '../../client/resources.ts'
import type { Clock } from '../../machinery/clock.ts'
import { verifiesDetached } from '../../machinery/detached-jws.ts'
import { isApiError } from '../../machinery/errors.ts'
import { UserError } from '../user-error.ts'
import { matchesPin } from './authority-pin.ts'
import { explained, isUnreachable, otherAuthority, tokenRefused, tokenUnknown } from './join-error.ts'

export interface DiscoverOptions {
  server: string
  token: BootstrapToken
  /** `sha256:HEX` of the authority's key. */
  caHash?: string
  clock: Clock
  /** How long the server may be unreachable, and the token's signature missing: it follows the token by a moment. */
  patienceMs: number
  signal?: AbortSignal
}

const again = 250

/** PEM of the cluster's authority. */
export async function discoverAuthority(options: DiscoverOptions): Promise<string> {
  const { server, clock, signal, patienceMs } = options
  const transport = createHttpTransport({ server, insecureSkipVerify: true, authorization: () => undefined })
  const client = createClient(transport, { userAgent: 'skiff-join' })
  const end = clock.monotonic() + patienceMs
  const timeout = new AbortController()
  const limit = clock.after(patienceMs + 5000, () => timeout.abort(new UserError(`the API server at ${server} does not answer: is this its address?`)))
  const any = signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal
  try {
    for (;;) {
      try {
        const { data = {} } = await client.get(ConfigMap, clusterInfo, { signal: any })
        const authority = judge(data, options)
        if (authority !== undefined) return authority
        if (clock.monotonic() >= end) throw tokenUnknown(options.token.id)
      } catch (error) {
        if (!isUnreachable(error) || clock.monotonic() >= end) throw error
      }
      await clock.sleep(again, any)
    }
  } catch (error) {
    if (isApiError(error, 'NotFound') || isApiError(error, 'Forbidden') || isApiError(error, 'Unauthorized'))
      throw new UserError(`the API server at ${server} does not tell strangers which cluster it is (${error.message}): nodes cannot join it by a token`)
    throw explained(error, server)
  } finally {
    limit.cancel()
    transport.close()
  }
}

/** Undefined where the signature is not there yet. */
function judge(data: Record<string, string>, { server, token, caHash }: DiscoverOptions): string | undefined {
  const { kubeconfig = '' } = data
  const signature = data[`${signaturePrefix}${token.id}`]
  if (signature !== undefined && !verifiesDetached(signature, kubeconfig, token.id, token.secret)) throw tokenRefused(token.id)
  // With the right pin the authority is known for sure: whether the token is good, the server says at once.
  if (signature === undefined && !caHash) return undefined
  const authority = authorityOf(kubeconfig)
  if (authority === undefined) throw new UserError(`the API server at ${server} publishes no authority: nodes cannot join it by a token`)
  if (caHash && !matchesPin(authority, caHash)) throw otherAuthority(server)
  return authority
}

function authorityOf(kubeconfig: string): string | undefined {
  const { clusters } = (parse(kubeconfig) ?? {}) as { clusters?: { cluster?: { 'certificate-authority-data'?: string } }[] }
  const data = clusters?.[0]?.cluster?.['certificate-authority-data']
  return data === undefined ? undefined : Buffer.from(data, 'base64').toString()
}
