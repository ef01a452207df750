/** A node's certificates, asked for by CertificateSigningRequests: the key never leaves the node. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { Client } from '../../client/client.ts'
import { CertificateSigningRequest } from '../../client/resources.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { V1CertificateSigningRequest } from '../../machinery/schema/generated/types.ts'
import { createRequest, type KeyPair } from '../pki/certificate-authority.ts'
import { UserError } from '../user-error.ts'
import { isUnreachable } from './join-error.ts'

interface Asking {
  client: Client
  nodeName: string
  clock: Clock
  /** How long approval and signing may take. */
  patienceMs?: number
  signal?: AbortSignal
}

const usual = 60_000
/** A serving certificate waits until the Node tells its addresses, or for a person. */
const servingPatience = 15 * 60_000

/** As `system:node:NAME` to the API server; asked for with a bootstrap token at first, with the one before later. */
export const requestClientCertificate = ({ nodeName, ...asking }: Asking): Promise<KeyPair> =>
  ask(nodeName, asking, 'kubernetes.io/kube-apiserver-client-kubelet', 'client auth', {})

/** By which the kubelet's server proves itself. Signed once the Node of that name has these addresses in its status. */
export const requestServingCertificate = ({ nodeName, addresses, dnsNames, ...asking }: Asking & { addresses: string[]; dnsNames?: string[] }) =>
  ask(nodeName, { patienceMs: servingPatience, ...asking }, 'kubernetes.io/kubelet-serving', 'server auth', { addresses, dnsNames: dnsNames ?? [nodeName] })

async function ask(
  nodeName: string,
  { client, clock, patienceMs = usual, signal }: Omit<Asking, 'nodeName'>,
  signerName: string,
  usage: string,
  names: { addresses?: string[]; dnsNames?: string[] },
): Promise<KeyPair> {
  const { request, key } = await createRequest({ commonName: `system:node:${nodeName}`, organizations: ['system:nodes'], ...names })
  const spec = { request: Buffer.from(request).toString('base64'), signerName, usages: ['digital signature', usage] }
  const { metadata } = await client.create(CertificateSigningRequest, { metadata: { generateName: 'csr-' }, spec } as never)
  const end = clock.monotonic() + patienceMs
  for (let wait = 25; ; wait = Math.min(wait * 2, 1000)) {
    const certificate = await signed(client, metadata.name, clock.monotonic() < end, signal)
    if (certificate !== undefined) {
      if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
        throw new Error(`the certificate of request ${metadata.name} is for another key`)
      return { certificate, key }
    }
    if (clock.monotonic() >= end)
      throw new UserError(`nobody has approved and signed the certificate request ${metadata.name}: 'kubectl certificate approve ${metadata.name}' does`)
    await clock.sleep(wait, signal)
  }
}

/** A server that is away for a moment has not forgotten the request: it is looked at again, and not made anew. */
async function signed(client: Client, name: string, mayBeAway: boolean, signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    return certificateOf(await client.get(CertificateSigningRequest, { name }, signal ? { signal } : {}))
  } catch (error) {
    if (mayBeAway && isUnreachable(error) && !signal?.aborted) return undefined
    throw error
  }
}

function certificateOf({ metadata, status }: V1CertificateSigningRequest): string | undefined {
  const refused = status?.conditions?.find(({ type }) => type === 'Denied' || type === 'Failed')
  if (refused)
    throw new UserError(
      `the certificate request ${metadata.name} ${refused.type === 'Denied' ? 'was denied' : 'failed'}: ${refused.message ?? refused.reason ?? 'no reason was given'}`,
    )
  return status?.certificate ? Buffer.from(status.certificate, 'base64').toString() : undefined
}
