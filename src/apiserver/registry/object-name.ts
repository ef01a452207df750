/** Names that the server makes from `metadata.generateName`. */
import type { Clock } from '../../machinery/clock.ts'

/** Without vowels and what looks alike, so that no words come out. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789'
const suffixLength = 5
const maxLength = 63

export function generateName(base: string, clock: Clock): string {
  let suffix = ''
  for (let i = 0; i < suffixLength; i++) suffix += alphabet[Math.floor(clock.random() * alphabet.length)]
  return base.slice(0, maxLength - suffixLength) + suffix
}
