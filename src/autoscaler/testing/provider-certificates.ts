import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createAuthority, issueCertificate, type KeyPair } from '../../cluster/pki/certificate-authority.ts'
import { realClock } from '../../machinery/real-clock.ts'

/** Puts into the directory of a provider what it finds when it is started; who calls it needs a certificate of the authority that is returned. */
export async function encryptProvider(directory: string): Promise<KeyPair> {
  const authority = await createAuthority('provider-ca', realClock.now())
  const serving = await issueCertificate(authority, { commonName: 'provider', usages: ['server'], addresses: ['127.0.0.1'] }, realClock.now())
  writeFileSync(join(directory, 'ca.crt'), authority.certificate)
  writeFileSync(join(directory, 'tls.crt'), serving.certificate)
  writeFileSync(join(directory, 'tls.key'), serving.key)
  return authority
}

export const clientPair = (authority: KeyPair) => issueCertificate(authority, { commonName: 'cluster-autoscaler', usages: ['client'] }, realClock.now())
