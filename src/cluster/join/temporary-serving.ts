/** What a kubelet's server shows until its certificate is signed: encrypted, but proven by nobody. */
import type { Clock } from '../../machinery/clock.ts'
import { createAuthority, issueCertificate, type KeyPair } from '../pki/certificate-authority.ts'

export async function temporaryServing(nodeName: string, addresses: string[], clock: Clock): Promise<KeyPair> {
  const authority = await createAuthority(`${nodeName}-temporary`, clock.now(), 1)
  return await issueCertificate(authority, { commonName: nodeName, usages: ['server'], dnsNames: [nodeName], addresses }, clock.now(), 1)
}
