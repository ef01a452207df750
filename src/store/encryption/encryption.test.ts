import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type CipherName, makeCipher } from './cipher.ts'
import { type EncryptionConfiguration, ensureEncryptionConfig, transformersOf } from './encryption-config.ts'
import { Undecryptable } from './transformer.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const secret = (fill: number) => Buffer.alloc(32, fill).toString('base64')
const key = '/registry/secrets/default/password'

function config(...providers: EncryptionConfiguration['resources'][0]['providers']): EncryptionConfiguration {
  return {
    kind: 'EncryptionConfiguration',
    apiVersion: 'apiserver.config.k8s.io/v1',
    resources: [{ resources: ['secrets', 'widgets.example.com'], providers }],
  }
}

describe('encryption at rest', () => {
  for (const name of ['aescbc', 'aesgcm', 'secretbox'] as CipherName[]) {
    it(`${name}: what is stored says by whom, hides the value, and comes back`, () => {
      const transformer = transformersOf(config({ [name]: { keys: [{ name: 'k1', secret: secret(1) }] } }))('', 'secrets')
      const stored = transformer.toStorage(bytes('hunter2 hunter2'), key)
      assert.equal(Buffer.from(stored).subarray(0, `k8s:enc:${name}:v1:k1:`.length).toString(), `k8s:enc:${name}:v1:k1:`)
      assert.ok(!Buffer.from(stored).includes('hunter2'))
      assert.deepEqual(Buffer.from(transformer.fromStorage(stored, key).plain).toString(), 'hunter2 hunter2')
      assert.notDeepEqual(transformer.toStorage(bytes('hunter2 hunter2'), key), stored, 'no two are alike')
    })
  }

  it('reads what an old key or nobody encrypted, and says that it is stale', () => {
    const old = transformersOf(config({ aesgcm: { keys: [{ name: 'old', secret: secret(1) }] } }))('', 'secrets')
    const now = transformersOf(
      config({ secretbox: { keys: [{ name: 'new', secret: secret(2) }] } }, { aesgcm: { keys: [{ name: 'old', secret: secret(1) }] } }, { identity: {} }),
    )('', 'secrets')
    assert.equal(now.fromStorage(old.toStorage(bytes('a'), key), key).stale, true)
    assert.equal(now.fromStorage(bytes('{}'), key).stale, true)
    assert.equal(now.fromStorage(now.toStorage(bytes('a'), key), key).stale, false)
  })

  it('refuses a changed value, a value moved to another key, an unknown key', () => {
    const transformer = transformersOf(config({ aesgcm: { keys: [{ name: 'k', secret: secret(1) }] } }, { identity: {} }))('', 'secrets')
    const stored = Buffer.from(transformer.toStorage(bytes('a'), key))
    assert.throws(() => transformer.fromStorage(stored, '/registry/secrets/default/other'), Undecryptable)
    stored[stored.length - 1] = (stored.at(-1) ?? 0) ^ 1
    assert.throws(() => transformer.fromStorage(stored, key), Undecryptable)
    const other = transformersOf(config({ aesgcm: { keys: [{ name: 'k2', secret: secret(2) }] } }, { identity: {} }))('', 'secrets')
    assert.throws(() => other.fromStorage(stored, key), Undecryptable)
  })

  it('leaves other resources alone', () => {
    const find = transformersOf(config({ aesgcm: { keys: [{ name: 'k', secret: secret(1) }] } }))
    const plain = bytes('{}')
    assert.equal(find('', 'configmaps').toStorage(plain, key), plain)
    assert.notEqual(find('example.com', 'widgets').toStorage(plain, key), plain)
  })

  it('says what is wrong with a configuration', () => {
    assert.throws(() => transformersOf(config({})), /is not one of identity/)
    assert.throws(() => makeCipher('secretbox', new Uint8Array(16)), /must have 32 bytes, this one has 16/)
  })

  it('makes a key at first start that its owner alone can read, and finds it again', () => {
    const folder = mkdtempSync(join(tmpdir(), 'skiff-encryption-'))
    const path = join(folder, 'encryption.yaml')
    const first = ensureEncryptionConfig(path)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.deepEqual(ensureEncryptionConfig(path), first)
    rmSync(folder, { recursive: true })
  })
})
