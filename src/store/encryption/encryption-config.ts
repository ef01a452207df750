/**
 * Upstream's EncryptionConfiguration (`apiserver.config.k8s.io/v1`): which resources are encrypted, by which
 * providers. The first provider writes; all of them read. KMS providers are not known.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parse, stringify } from 'yaml'
import { type Cipher, type CipherName, makeCipher } from './cipher.ts'
import { identityTransformer, type Transformer, Undecryptable } from './transformer.ts'

interface KeyConfig {
  name: string
  /** Base64. */
  secret: string
}

type ProviderConfig = { [name in CipherName]?: { keys: KeyConfig[] } } & { identity?: Record<string, never> }

export interface EncryptionConfiguration {
  kind: 'EncryptionConfiguration'
  apiVersion: 'apiserver.config.k8s.io/v1'
  resources: { resources: string[]; providers: ProviderConfig[] }[]
}

interface Provider {
  /** ASCII; empty for identity. */
  prefix: string
  cipher: Cipher | undefined
}

const cipherNames: CipherName[] = ['aescbc', 'aesgcm', 'secretbox']

function providersOf(config: ProviderConfig): Provider[] {
  if (config.identity) return [{ prefix: '', cipher: undefined }]
  const name = cipherNames.find((one) => config[one])
  if (!name) throw new Error(`encryption: provider ${Object.keys(config).join(', ') || '(empty)'} is not one of identity, ${cipherNames.join(', ')}`)
  const keys = config[name]?.keys ?? []
  if (keys.length === 0) throw new Error(`encryption: provider ${name} has no key`)
  return keys.map((key) => ({
    prefix: `k8s:enc:${name}:v1:${key.name}:`,
    cipher: makeCipher(name, Buffer.from(key.secret, 'base64')),
  }))
}

function transformerOf(providers: Provider[]): Transformer {
  const [writer] = providers
  if (!writer) return identityTransformer
  const known = providers.map((provider) => ({ ...provider, bytes: Buffer.from(provider.prefix) }))
  return {
    toStorage(plain, key) {
      if (!writer.cipher) return plain
      return Buffer.concat([Buffer.from(writer.prefix), writer.cipher.encrypt(plain, key)])
    },
    fromStorage(stored, key) {
      const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength)
      const isEncrypted = bytes.subarray(0, 8).toString('latin1') === 'k8s:enc:'
      for (const provider of known) {
        if (!provider.cipher) {
          if (isEncrypted) continue
          return { plain: stored, stale: writer.cipher !== undefined }
        }
        if (!bytes.subarray(0, provider.bytes.length).equals(provider.bytes)) continue
        try {
          return { plain: provider.cipher.decrypt(bytes.subarray(provider.bytes.length), key), stale: provider.prefix !== writer.prefix }
        } catch (error) {
          throw new Undecryptable(key, error instanceof Error ? error.message : String(error))
        }
      }
      throw new Undecryptable(key, 'no provider of the encryption configuration matches it')
    },
  }
}

/** Finds the transformer of a resource: by `plural`, `plural.group`, `*.group`, `*.` (core) or `*.*`, the first that fits. */
export function transformersOf(config: EncryptionConfiguration): (group: string, plural: string) => Transformer {
  const entries = config.resources.map((entry) => ({ names: entry.resources, transformer: transformerOf(entry.providers.flatMap(providersOf)) }))
  return (group, plural) => {
    const fits = (name: string) => name === (group ? `${plural}.${group}` : plural) || name === `*.${group}` || name === '*.*'
    return entries.find((entry) => entry.names.some(fits))?.transformer ?? identityTransformer
  }
}

/**
 * Reads the configuration at `path`; where there is none, makes one that encrypts Secrets with a new key and can
 * read plain ones, readable by its owner alone.
 */
export function ensureEncryptionConfig(path: string): EncryptionConfiguration {
  if (!existsSync(path)) {
    const config: EncryptionConfiguration = {
      kind: 'EncryptionConfiguration',
      apiVersion: 'apiserver.config.k8s.io/v1',
      resources: [
        {
          resources: ['secrets'],
          providers: [{ secretbox: { keys: [{ name: 'key1', secret: randomBytes(32).toString('base64') }] } }, { identity: {} }],
        },
      ],
    }
    writeFileSync(path, stringify(config), { mode: 0o600, flag: 'wx' })
  }
  const config = parse(readFileSync(path, 'utf8')) as EncryptionConfiguration
  if (config?.kind !== 'EncryptionConfiguration' || !Array.isArray(config.resources)) throw new Error(`${path} is not an EncryptionConfiguration`)
  return config
}
