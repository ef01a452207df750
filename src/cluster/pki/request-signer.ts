/** Signs certificate requests of others with the cluster's authority: their keys never come here. */
import type { CertificateSigner } from '../../controllers/certificate-rules.ts'
import type { Clock } from '../../machinery/clock.ts'
import { type KeyPair, signRequest } from './certificate-authority.ts'

type Names = readonly { type: string; value: string }[]

export function requestSigner(authority: KeyPair, clock: Clock): CertificateSigner {
  return {
    async inspect(pem) {
      await import('reflect-metadata')
      const lib = await import('@peculiar/x509')
      const request = new lib.Pkcs10CertificateRequest(pem)
      if (!(await request.verify())) throw new Error('the request is not signed with its own key')
      const field = (name: string) => request.subjectName.getField(name)
      const names: Names = request.extensions.find((extension) => extension instanceof lib.SubjectAlternativeNameExtension)?.names.items ?? []
      const of = (type: string) => names.filter((name) => name.type === type).map(({ value }) => value)
      return {
        commonName: field('CN')[0] ?? '',
        organizations: field('O'),
        dnsNames: of('dns'),
        addresses: of('ip'),
        others: names.filter(({ type }) => type !== 'dns' && type !== 'ip').map(({ value }) => value),
      }
    },
    sign: (pem, usages, seconds) => signRequest(authority, pem, { usages, seconds }, clock.now()),
  }
}
