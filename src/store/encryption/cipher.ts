/**
 * The ciphers of upstream's EncryptionConfiguration, with upstream's layout of bytes after the prefix, so that
 * either can read what the other wrote:
 * `aescbc` iv(16) ‖ AES-CBC with PKCS#7; `aesgcm` nonce(12) ‖ ciphertext ‖ tag(16), authenticated with the
 * object's key in the store; `secretbox` nonce(24) ‖ XSalsa20-Poly1305.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js'

export interface Cipher {
  encrypt(plain: Uint8Array, context: string): Uint8Array
  /** Throws when the key is not the one, or the bytes were changed. */
  decrypt(sealed: Uint8Array, context: string): Uint8Array
}

export type CipherName = 'aescbc' | 'aesgcm' | 'secretbox'

/** Bytes that a key may have. */
const keySizes: Record<CipherName, number[]> = { aescbc: [16, 24, 32], aesgcm: [16, 24, 32], secretbox: [32] }

export function makeCipher(name: CipherName, key: Uint8Array): Cipher {
  if (!keySizes[name].includes(key.length)) throw new Error(`a key of ${name} must have ${keySizes[name].join(' or ')} bytes, this one has ${key.length}`)
  return { aescbc, aesgcm, secretbox }[name](key)
}

function aescbc(key: Uint8Array): Cipher {
  const algorithm = `aes-${key.length * 8}-cbc`
  return {
    encrypt(plain) {
      const iv = randomBytes(16)
      const cipher = createCipheriv(algorithm, key, iv)
      return Buffer.concat([iv, cipher.update(plain), cipher.final()])
    },
    decrypt(sealed) {
      const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, 16))
      return Buffer.concat([decipher.update(sealed.subarray(16)), decipher.final()])
    },
  }
}

function aesgcm(key: Uint8Array): Cipher {
  const algorithm = `aes-${key.length * 8}-gcm` as 'aes-256-gcm'
  return {
    encrypt(plain, context) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv(algorithm, key, nonce)
      cipher.setAAD(Buffer.from(context))
      return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    },
    decrypt(sealed, context) {
      const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, 12), { authTagLength: 16 })
      decipher.setAAD(Buffer.from(context))
      decipher.setAuthTag(sealed.subarray(-16))
      return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()])
    },
  }
}

function secretbox(key: Uint8Array): Cipher {
  return {
    encrypt(plain) {
      const nonce = randomBytes(24)
      return Buffer.concat([nonce, xsalsa20poly1305(key, nonce).encrypt(plain)])
    },
    decrypt: (sealed) => xsalsa20poly1305(key, sealed.subarray(0, 24)).decrypt(sealed.subarray(24)),
  }
}
