/** The verbs `approve` and `sign` on `signers`: by the signer's whole name, or by its domain with `/*`. */
import { isDeepStrictEqual } from 'node:util'
import type { V1CertificateSigningRequest } from '../../machinery/schema/generated/types.ts'
import { refused } from '../admission/refuse.ts'
import type { AdmissionAttributes, AdmissionPlugin, ServerAccess } from '../contracts.ts'

type Request = V1CertificateSigningRequest

const group = 'certificates.k8s.io'
const writes = ({ verb, resource, subresource }: AdmissionAttributes, below: string) =>
  verb === 'update' && resource.plural === 'certificatesigningrequests' && resource.group === group && subresource === below

async function may(server: ServerAccess, { user }: AdmissionAttributes, verb: 'approve' | 'sign', signer: string): Promise<boolean> {
  const domain = signer.slice(0, signer.indexOf('/'))
  for (const name of [signer, `${domain}/*`]) {
    const info = { isResourceRequest: true, path: '', verb, group, version: '*', namespace: '', resource: 'signers', subresource: '', name, rest: '' }
    const { decision } = await server.authorize({ user, info })
    if (decision === 'allowed') return true
  }
  return false
}

async function mustBeAllowed(server: ServerAccess, attributes: AdmissionAttributes, verb: 'approve' | 'sign'): Promise<void> {
  const { signerName } = (attributes.old as unknown as Request).spec
  if (!(await may(server, attributes, verb, signerName)))
    throw refused(attributes, `user not permitted to ${verb} requests with signerName ${JSON.stringify(signerName)}`)
}

export const certificateApproval = (server: ServerAccess): AdmissionPlugin => ({
  name: 'CertificateApproval',
  handles: (attributes) => writes(attributes, 'approval'),
  validate: (attributes) => mustBeAllowed(server, attributes, 'approve'),
})

export const certificateSigning = (server: ServerAccess): AdmissionPlugin => ({
  name: 'CertificateSigning',
  handles: (attributes) => writes(attributes, 'status'),
  async validate(attributes) {
    const now = (attributes.object as unknown as Request).status ?? {}
    const before = (attributes.old as unknown as Request).status ?? {}
    if (now.certificate === before.certificate && isDeepStrictEqual(now.conditions ?? [], before.conditions ?? [])) return
    await mustBeAllowed(server, attributes, 'sign')
  },
})
