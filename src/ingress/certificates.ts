import { createHash, createPrivateKey, webcrypto, X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { V1Secret } from '../machinery/schema/generated/types.ts'

/** Files for nginx, named after what they hold: one that changes is a new one, and a reload never sees half. */
export class Certificates {
  readonly #directory: string
  readonly fallback: string

  constructor(directory: string) {
    this.#directory = directory
    this.fallback = join(directory, 'fallback.pem')
    mkdirSync(directory, { recursive: true })
    chmodSync(directory, 0o700)
  }

  /** Makes the certificate for hosts that have none of their own. */
  async ensureFallback(now: number): Promise<void> {
    if (existsSync(this.fallback)) return
    writeOwnerOnly(this.fallback, await selfSigned(now))
  }

  /** The file of a Secret's certificate and key, or what is wrong with it, in words for an event. */
  file(secret: V1Secret | undefined, secretKey: string): { path: string } | { problem: string } {
    if (!secret) return { problem: `error getting SSL certificate "${secretKey}": secret does not exist` }
    const certificate = decoded(secret.data?.['tls.crt'])
    const key = decoded(secret.data?.['tls.key'])
    if (!certificate || !key) return { problem: `error getting SSL certificate "${secretKey}": secret has no tls.crt or tls.key` }
    const path = join(this.#directory, `${createHash('sha256').update(certificate).update(key).digest('hex').slice(0, 32)}.pem`)
    if (existsSync(path)) return { path }
    try {
      if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) throw new Error('the key does not belong to the certificate')
    } catch (error) {
      return { problem: `error getting SSL certificate "${secretKey}": ${(error as Error).message}` }
    }
    writeOwnerOnly(path, `${certificate.trim()}\n${key.trim()}\n`)
    return { path }
  }

  /** Removes the files that no configuration names any more. */
  retain(paths: Set<string>): void {
    for (const name of readdirSync(this.#directory)) {
      const path = join(this.#directory, name)
      if (path !== this.fallback && !paths.has(path)) rmSync(path, { force: true })
    }
  }
}

function writeOwnerOnly(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

function decoded(value: string | undefined): string | undefined {
  return value ? Buffer.from(value, 'base64').toString() : undefined
}

/** Not secret in any sense and trusted by nobody: it only lets a TLS connection come about. */
async function selfSigned(now: number): Promise<string> {
  await import('reflect-metadata')
  const { X509CertificateGenerator, SubjectAlternativeNameExtension } = await import('@peculiar/x509')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ O: ['Acme Co'] }, { CN: ['Kubernetes Ingress Controller Fake Certificate'] }],
    notBefore: new Date(now - 300_000),
    notAfter: new Date(now + 365 * 86_400_000),
    signingAlgorithm: algorithm,
    keys,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: 'ingress.local' }])],
  })
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return `${certificate.toString('pem').trim()}\n-----BEGIN PRIVATE KEY-----\n${key.replace(/.{1,64}/g, '$&\n')}-----END PRIVATE KEY-----\n`
}
