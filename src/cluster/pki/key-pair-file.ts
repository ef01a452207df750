/** Key pairs as files NAME.crt and NAME.key, readable by the owner alone, replaced in one step. */
import { X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { CertificateRequest, KeyPair } from './certificate-authority.ts'

const isMissing = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT'

export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** A crash leaves the old file or the new one, never half of one. */
export async function writeOwnerOnly(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(`${file}.new`, text, { mode: 0o600 })
  await rename(`${file}.new`, file)
}

export async function readKeyPair(dir: string, name: string): Promise<KeyPair | undefined> {
  const [certificate, key] = await Promise.all([readIfThere(join(dir, `${name}.crt`)), readIfThere(join(dir, `${name}.key`))])
  return certificate !== undefined && key !== undefined ? { certificate, key } : undefined
}

export async function writeKeyPair(dir: string, name: string, pair: KeyPair): Promise<void> {
  await writeOwnerOnly(join(dir, `${name}.key`), pair.key)
  await writeOwnerOnly(join(dir, `${name}.crt`), pair.certificate)
}

/**
 * Whether a stored certificate still serves: made by this authority for these names and addresses, fits its
 * key, and more than a quarter of its life lies before it.
 */
export function stillGood(pair: KeyPair, authority: KeyPair, request: CertificateRequest, now: number): boolean {
  try {
    const certificate = new X509Certificate(pair.certificate)
    const from = certificate.validFromDate.getTime()
    const to = certificate.validToDate.getTime()
    if (now < from || to - now < (to - from) / 4) return false
    if (!certificate.verify(new X509Certificate(authority.certificate).publicKey)) return false
    const organizations = (request.organizations ?? []).map((name) => `O=${name}`)
    const subject = new Set(certificate.subject.split('\n'))
    if (![`CN=${request.commonName}`, ...organizations].every((part) => subject.has(part))) return false
    return (request.dnsNames ?? []).every((name) => certificate.checkHost(name)) && (request.addresses ?? []).every((address) => certificate.checkIP(address))
  } catch {
    // Not readable as a certificate: made anew.
    return false
  }
}
