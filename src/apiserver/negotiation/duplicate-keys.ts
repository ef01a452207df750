/** Keys that stand twice in one map of a YAML text: the last wins when it is parsed, and the client should know. */
import { isScalar, LineCounter, parseDocument, visit } from 'yaml'

/** What upstream's strict decoder says of it; undefined when no key stands twice. `text` is valid YAML. */
export function duplicateKeys(text: string): string | undefined {
  const lines = new LineCounter()
  const complaints: string[] = []
  visit(parseDocument(text, { merge: true, uniqueKeys: false, lineCounter: lines }), {
    Map(_, { items }) {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        if (!isScalar(key)) continue
        if (seen.has(key.value)) complaints.push(`line ${lines.linePos(key.range?.[0] ?? 0).line}: key ${JSON.stringify(key.value)} already set in map`)
        seen.add(key.value)
      }
    },
  })
  return complaints.length > 0 ? ['yaml: unmarshal errors:', ...complaints].join('\n  ') : undefined
}
