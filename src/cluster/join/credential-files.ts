/** What a node keeps of its membership, in a directory of its own: files that their owner alone may read. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import type { KeyPair } from '../pki/certificate-authority.ts'
import { readIfThere, readKeyPair, writeKeyPair, writeOwnerOnly } from '../pki/key-pair-file.ts'

export const clientPairName = 'client'
export const servingPairName = 'serving'
export const authorityFile = 'ca.crt'

export interface NodeCredentials {
  /** PEM of the cluster's authority. */
  ca: string
  /** `system:node:NAME`. */
  client: KeyPair
}

export async function writeCredentials(directory: string, { ca, client }: NodeCredentials): Promise<void> {
  await writeOwnerOnly(join(directory, authorityFile), ca)
  await writeKeyPair(directory, clientPairName, client)
}

export const writeClientPair = (directory: string, pair: KeyPair): Promise<void> => writeKeyPair(directory, clientPairName, pair)
export const writeServingPair = (directory: string, pair: KeyPair): Promise<void> => writeKeyPair(directory, servingPairName, pair)

/** Those kept, if they are of this node and still good. */
export async function readCredentials(directory: string, nodeName: string, now: number): Promise<NodeCredentials | undefined> {
  const [ca, client] = await Promise.all([readIfThere(join(directory, authorityFile)), readKeyPair(directory, clientPairName)])
  return ca !== undefined &&
    client &&
    isGood(client, ca, now) &&
    new X509Certificate(client.certificate).subject.split('\n').includes(`CN=system:node:${nodeName}`)
    ? { ca, client }
    : undefined
}

/** The serving pair that was signed for the node, if it still counts. */
export async function readServingPair(directory: string, ca: string, now: number): Promise<KeyPair | undefined> {
  const pair = await readKeyPair(directory, servingPairName)
  return pair && isGood(pair, ca, now) ? pair : undefined
}

/** A crash may have left the key of one and the certificate of another. */
function isGood({ certificate, key }: KeyPair, ca: string, now: number): boolean {
  try {
    const parsed = new X509Certificate(certificate)
    return now < parsed.validToDate.getTime() && parsed.checkPrivateKey(createPrivateKey(key)) && parsed.verify(new X509Certificate(ca).publicKey)
  } catch {
    // Not readable: as good as none.
    return false
  }
}
