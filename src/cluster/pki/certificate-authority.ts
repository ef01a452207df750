/**
 * Issues certificates: ECDSA on P-256 with SHA-256, which takes a millisecond where RSA takes a hundred.
 * Keys and serial numbers come from the host's cryptographic source, not from the Clock: they must not repeat.
 */
import { webcrypto } from 'node:crypto'

/** PEM texts. */
export interface KeyPair {
  certificate: string
  key: string
}

export interface CertificateRequest {
  commonName: string
  organizations?: string[]
  usages: ('client' | 'server')[]
  dnsNames?: string[]
  addresses?: string[]
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const day = 86_400_000

/** Loaded when a certificate is made and not before: a start that finds all of them pays nothing. */
async function x509() {
  await import('reflect-metadata')
  return await import('@peculiar/x509')
}

type SubjectPart = { [type: string]: string[] }

function subject(commonName: string, organizations: string[] = []): SubjectPart[] {
  return [...organizations.map((name) => ({ O: [name] })), { CN: [commonName] }]
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/.{1,64}/g, '$&\n')}-----END PRIVATE KEY-----\n`
}

async function importPrivateKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')
  return await webcrypto.subtle.importKey('pkcs8', der, algorithm, true, ['sign'])
}

const serial = () => {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16))
  // Positive, and not starting with a zero octet: DER integers are signed and minimal.
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return Buffer.from(bytes).toString('hex')
}

const withNewline = (pem: string) => (pem.endsWith('\n') ? pem : `${pem}\n`)

export async function createAuthority(commonName: string, now: number, validDays = 3650): Promise<KeyPair> {
  const { X509CertificateGenerator, BasicConstraintsExtension, KeyUsagesExtension, KeyUsageFlags, SubjectKeyIdentifierExtension } = await x509()
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: subject(commonName),
    notBefore: new Date(now - 5 * 60_000),
    notAfter: new Date(now + validDays * day),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign | KeyUsageFlags.keyEncipherment, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: withNewline(certificate.toString('pem')), key: await privateKeyPem(keys.privateKey) }
}

export async function issueCertificate(authority: KeyPair, request: CertificateRequest, now: number, validDays = 365): Promise<KeyPair> {
  const lib = await x509()
  const issuer = new lib.X509Certificate(authority.certificate)
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const usages = request.usages.map((usage) => (usage === 'client' ? lib.ExtendedKeyUsage.clientAuth : lib.ExtendedKeyUsage.serverAuth))
  const names = [
    ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.addresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ]
  const certificate = await lib.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: subject(request.commonName, request.organizations),
    issuer: issuer.subjectName.toJSON(),
    notBefore: new Date(now - 5 * 60_000),
    notAfter: new Date(now + validDays * day),
    signingAlgorithm: algorithm,
    signingKey: await importPrivateKey(authority.key),
    publicKey: keys.publicKey,
    extensions: [
      new lib.BasicConstraintsExtension(false, undefined, true),
      new lib.KeyUsagesExtension(lib.KeyUsageFlags.digitalSignature | lib.KeyUsageFlags.keyEncipherment, true),
      new lib.ExtendedKeyUsageExtension(usages),
      await lib.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(names.length > 0 ? [new lib.SubjectAlternativeNameExtension(names)] : []),
    ],
  })
  return { certificate: withNewline(certificate.toString('pem')), key: await privateKeyPem(keys.privateKey) }
}

/** A new key, and the request (PKCS #10) by which an authority elsewhere may certify it. PEM both. */
export async function createRequest({ commonName, organizations, dnsNames = [], addresses = [] }: Omit<CertificateRequest, 'usages'>) {
  const lib = await x509()
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const names = [...dnsNames.map((value) => ({ type: 'dns' as const, value })), ...addresses.map((value) => ({ type: 'ip' as const, value }))]
  const made = await lib.Pkcs10CertificateRequestGenerator.create({
    name: subject(commonName, organizations),
    keys,
    signingAlgorithm: algorithm,
    extensions: names.length > 0 ? [new lib.SubjectAlternativeNameExtension(names)] : [],
  })
  return { request: withNewline(made.toString('pem')), key: await privateKeyPem(keys.privateKey) }
}

/** Certifies what a request (PKCS #10, PEM) asks for, for these usages as CertificateSigningRequests name them. */
export async function signRequest(
  authority: KeyPair,
  pem: string,
  { usages, seconds }: { usages: readonly string[]; seconds: number },
  now: number,
): Promise<string> {
  const lib = await x509()
  const issuer = new lib.X509Certificate(authority.certificate)
  const request = new lib.Pkcs10CertificateRequest(pem)
  const names = request.extensions.find((extension) => extension instanceof lib.SubjectAlternativeNameExtension)
  const extended = [
    ...(usages.includes('client auth') ? [lib.ExtendedKeyUsage.clientAuth] : []),
    ...(usages.includes('server auth') ? [lib.ExtendedKeyUsage.serverAuth] : []),
  ]
  const flags =
    (usages.includes('key encipherment') ? lib.KeyUsageFlags.keyEncipherment : 0) |
    (usages.includes('digital signature') || !usages.includes('key encipherment') ? lib.KeyUsageFlags.digitalSignature : 0)
  const notAfter = Math.min(now + seconds * 1000, issuer.notAfter.getTime())
  const certificate = await lib.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: request.subjectName.toJSON(),
    issuer: issuer.subjectName.toJSON(),
    notBefore: new Date(now - 5 * 60_000),
    notAfter: new Date(notAfter),
    signingAlgorithm: algorithm,
    signingKey: await importPrivateKey(authority.key),
    publicKey: request.publicKey,
    extensions: [
      new lib.BasicConstraintsExtension(false, undefined, true),
      new lib.KeyUsagesExtension(flags, true),
      ...(extended.length > 0 ? [new lib.ExtendedKeyUsageExtension(extended)] : []),
      await lib.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(names ? [new lib.SubjectAlternativeNameExtension(names.names.items.map(({ type, value }) => ({ type, value })))] : []),
    ],
  })
  return withNewline(certificate.toString('pem'))
}
