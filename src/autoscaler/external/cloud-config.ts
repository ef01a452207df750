/**
 * Where the external provider is, for all pools that do not say it themselves: a file as the `--cloud-config` of
 * cluster-autoscaler's externalgrpc provider. `address`, and for TLS the files `key`, `cert` and `cacert`.
 */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import type { ProviderCredentials } from './provider-connection.ts'

export interface CloudConfig {
  address: string
  /** Of one call. */
  timeoutMs: number | undefined
  /** Read when a connection is made, and again later: certificates are renewed. Absent: not encrypted. */
  credentials: (() => Promise<ProviderCredentials>) | undefined
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }

/** Throws in a sentence. Paths count from the file's own directory. */
export async function readCloudConfig(file: string): Promise<CloudConfig> {
  const wrong = (what: string) => new Error(`the cloud config ${file} ${what}`)
  let value: unknown
  try {
    value = parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw wrong(`cannot be read: ${error instanceof Error ? error.message : error}`)
  }
  if (typeof value !== 'object' || value === null) throw wrong('must be a map with an address')
  const text = (key: string): string | undefined => {
    const part = (value as Record<string, unknown>)[key]
    if (part !== undefined && typeof part !== 'string') throw wrong(`has ${key} that is no text`)
    return part === '' ? undefined : part
  }
  const address = text('address')
  if (address === undefined) throw wrong('says no address: host:port of the provider')
  const [key, cert, cacert] = [text('key'), text('cert'), text('cacert')]
  const timeout = /^(\d+)(ms|s|m)$/.exec(text('grpc_timeout') ?? '5s')
  if (!timeout) throw wrong('has a grpc_timeout that is no time: write it like 5s')
  const timeoutMs = Number(timeout[1]) * (units[timeout[2] ?? ''] ?? 0)
  if (key === undefined && cert === undefined && cacert === undefined) return { address, timeoutMs, credentials: undefined }
  if (key === undefined || cert === undefined || cacert === undefined) throw wrong('must have key, cert and cacert together, or none of them')
  const path = (name: string) => resolve(dirname(file), name)
  const credentials = async () => ({ ca: await readFile(path(cacert)), key: await readFile(path(key)), certificate: await readFile(path(cert)) })
  try {
    await credentials()
  } catch (error) {
    throw wrong(`names a file that cannot be read: ${error instanceof Error ? error.message : error}`)
  }
  return { address, timeoutMs, credentials }
}
