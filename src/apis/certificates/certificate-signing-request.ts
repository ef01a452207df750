import { timestamp } from '../../machinery/clock.ts'
import { duplicate, type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import { isPathSegment } from '../../machinery/names.ts'
import type { V1CertificateSigningRequest } from '../../machinery/schema/generated/types.ts'
import { shortDuration } from '../age.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import type { Subresource } from '../resource.ts'
import { keepAllBut, keepField, keepStatus, statusSubresource } from '../subresources.ts'

/** Approval writes conditions and nothing else; the certificate belongs to the signer's `status`. */
const approval: Subresource<V1CertificateSigningRequest> = {
  name: 'approval',
  verbs: ['get', 'patch', 'update'],
  prepareForUpdate(draft, stored, { now }) {
    keepAllBut('status', draft, stored)
    const conditions = (draft.status?.conditions ?? []).map((one) => ({
      ...one,
      lastUpdateTime: one.lastUpdateTime ?? timestamp(now),
      lastTransitionTime: one.lastTransitionTime ?? timestamp(now),
    }))
    draft.status = { ...draft.status, conditions }
    keepField(draft.status, stored.status ?? {}, 'certificate')
  },
}

export const CertificateSigningRequest = defineResource<V1CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  shortNames: ['csr'],
  namespaced: false,
  model: 'V1CertificateSigningRequest',
  subresources: [approval, statusSubresource()],
  selectableFields: { 'spec.signerName': (request) => request.spec.signerName },
  columns: [
    nameColumn,
    ageColumn,
    text('SignerName', ({ spec }) => spec.signerName || '<none>'),
    text('Requestor', ({ spec }) => spec.username ?? ''),
    text('RequestedDuration', ({ spec }) => (spec.expirationSeconds === undefined ? '<none>' : shortDuration(spec.expirationSeconds * 1000))),
    text('Condition', conditionText),
  ],
  validateName: isPathSegment,
  prepareForCreate(request) {
    request.status = {}
  },
  prepareForUpdate(draft, stored) {
    // What was asked for, and by whom, stands.
    draft.spec = stored.spec
    keepStatus(draft, stored)
  },
  validate: validateRequest,
})

const usages = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
]

function validateRequest({ spec }: V1CertificateSigningRequest): FieldError[] {
  const errors: FieldError[] = []
  const pem = Buffer.from(spec.request ?? '', 'base64').toString()
  if (!/-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(pem))
    errors.push(invalidValue('spec.request', spec.request ?? '', 'PEM block type must be CERTIFICATE REQUEST'))
  if (!spec.usages?.length) errors.push(required('spec.usages', 'usages must be specified'))
  const seen = new Set<string>()
  spec.usages?.forEach((usage, index) => {
    if (!usages.includes(usage)) errors.push(notSupported(`spec.usages[${index}]`, usage, usages))
    if (seen.has(usage)) errors.push(duplicate(`spec.usages[${index}]`, usage))
    seen.add(usage)
  })
  const { signerName = '', expirationSeconds } = spec
  if (signerName === '') errors.push(required('spec.signerName'))
  else if (!/^[^/]+\.[^/]+\/.+$/.test(signerName))
    errors.push(invalidValue('spec.signerName', signerName, 'must be a fully qualified domain and path of the form "example.com/signer-name"'))
  if (expirationSeconds !== undefined && expirationSeconds < 600)
    errors.push(invalidValue('spec.expirationSeconds', expirationSeconds, 'may not specify a duration less than 600 seconds (10 minutes)'))
  return errors
}

function conditionText({ status }: V1CertificateSigningRequest): string {
  const has = (type: string) => status?.conditions?.some((one) => one.type === type)
  const words = [has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending']
  if (has('Failed')) words.push('Failed')
  if (status?.certificate) words.push('Issued')
  return words.join(',')
}
