/** What the signers that upstream builds in demand of a CertificateSigningRequest; its sentences. */
import type { V1CertificateSigningRequest } from '../machinery/schema/generated/types.ts'

/** What a request in PEM asks to be certified. */
export interface RequestedSubject {
  commonName: string
  organizations: string[]
  dnsNames: string[]
  addresses: string[]
  /** Other alternative names: mail addresses, URIs. */
  others: string[]
}

export interface CertificateSigner {
  /** Throws for what is no request, or is not signed with its own key. */
  inspect(pem: string): Promise<RequestedSubject>
  /** The certificate, PEM. */
  sign(pem: string, usages: readonly string[], seconds: number): Promise<string>
}

export const kubeletClientSigner = 'kubernetes.io/kube-apiserver-client-kubelet'
export const kubeletServingSigner = 'kubernetes.io/kubelet-serving'

type Rule = (subject: RequestedSubject, usages: readonly string[], username: string) => string | undefined

const only = (usages: readonly string[], needed: string[], allowed: string[]) =>
  needed.every((usage) => usages.includes(usage)) && usages.every((usage) => needed.includes(usage) || allowed.includes(usage))
const hasNames = ({ dnsNames, addresses, others }: RequestedSubject) => dnsNames.length + addresses.length + others.length > 0
const isOfNodes = ({ organizations }: RequestedSubject) => organizations.length === 1 && organizations[0] === 'system:nodes'

const rules: Readonly<Record<string, Rule>> = {
  'kubernetes.io/kube-apiserver-client': (_, usages) =>
    only(usages, ['client auth'], ['digital signature', 'key encipherment'])
      ? undefined
      : 'usages did not match [client auth, digital signature, key encipherment]',
  [kubeletClientSigner]: (subject, usages) => {
    if (!isOfNodes(subject)) return 'subject organization is not system:nodes'
    if (hasNames(subject)) return 'subjectAltNames are not allowed'
    if (!/^system:node:./.test(subject.commonName)) return 'subject common name does not begin with system:node:'
    return only(usages, ['client auth', 'digital signature'], ['key encipherment'])
      ? undefined
      : 'usages did not match [key encipherment digital signature client auth]'
  },
  [kubeletServingSigner]: (subject, usages, username) => {
    if (!isOfNodes(subject)) return 'subject organization is not system:nodes'
    if (subject.dnsNames.length + subject.addresses.length === 0) return 'DNS or IP subjectAltName is required'
    if (subject.others.length > 0) return 'Email and URI subjectAltNames are not allowed'
    if (!/^system:node:./.test(subject.commonName)) return 'subject common name does not begin with system:node:'
    if (username !== subject.commonName) return `requested common name ${subject.commonName} is not that of the requestor ${username}`
    return only(usages, ['server auth', 'digital signature'], ['key encipherment'])
      ? undefined
      : 'usages did not match [key encipherment digital signature server auth]'
  },
  'kubernetes.io/legacy-unknown': () => undefined,
}

export const isOwnSigner = (signerName: string): boolean => Object.hasOwn(rules, signerName)

export const requestPem = ({ spec }: V1CertificateSigningRequest): string => Buffer.from(spec.request, 'base64').toString()

export const hasCondition = ({ status }: V1CertificateSigningRequest, type: 'Approved' | 'Denied' | 'Failed'): boolean =>
  status?.conditions?.some((condition) => condition.type === type) ?? false

/** Why the signer would not sign it. */
export async function problemOf(request: V1CertificateSigningRequest, signer: CertificateSigner): Promise<string | undefined> {
  const { signerName, usages = [], username = '' } = request.spec
  try {
    return rules[signerName]?.(await signer.inspect(requestPem(request)), usages, username)
  } catch (error) {
    return `unable to parse csr: ${error instanceof Error ? error.message : String(error)}`
  }
}
