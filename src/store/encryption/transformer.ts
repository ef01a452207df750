/**
 * Turns an encoded object into what the store keeps, and back. `key` is the object's key in the store: an
 * encrypted value is bound to it, so that it cannot be moved to another object's place.
 */
export interface Transformer {
  toStorage(plain: Uint8Array, key: string): Uint8Array
  /**
   * `stale`: written in another way than {@link toStorage} would now (another key or provider), so that writing the
   * object again renews it. Throws {@link Undecryptable}.
   */
  fromStorage(stored: Uint8Array, key: string): { plain: Uint8Array; stale: boolean }
}

export const identityTransformer: Transformer = {
  toStorage: (plain) => plain,
  fromStorage: (stored) => ({ plain: stored, stale: false }),
}

export class Undecryptable extends Error {
  constructor(key: string, why: string) {
    super(`the value of ${key} cannot be decrypted: ${why}`)
    this.name = 'Undecryptable'
  }
}
