/** Looks at one number of a page, for tests: each look reads the whole page strictly. */
import { parseStrictly } from './strict-parser.ts'

export type Labels = Readonly<Record<string, string>>

/** Of the first series with (at least) these labels; 0 when there is none yet. Of a histogram, ask `…_count` or `…_sum`. */
export function valueIn(text: string, name: string, labels: Labels = {}): number {
  return matching(text, name, labels)[0]?.value ?? 0
}

/** The sum over all series with (at least) these labels. */
export const sumIn = (text: string, name: string, labels: Labels = {}): number => matching(text, name, labels).reduce((sum, { value }) => sum + value, 0)

function matching(text: string, name: string, labels: Labels) {
  const family = text === '' ? undefined : (parseStrictly(text).get(name.replace(/_(count|sum|bucket)$/, '')) ?? parseStrictly(text).get(name))
  return (family?.samples ?? []).filter((sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
}
