/** The first key after all keys that start with `prefix`, in byte order of UTF-8. */
export function prefixEnd(prefix: string): string {
  // Keys are ASCII paths; U+10FFFF sorts after every one of them in UTF-8 and is never a part of one.
  return `${prefix}\u{10FFFF}`
}

/** Orders as UTF-8 bytes do; for the ASCII keys of the registry that is the order of strings. */
export function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
