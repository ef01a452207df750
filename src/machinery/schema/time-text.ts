/** Times as the API writes them: UTC, whole seconds or microseconds. */

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/

/** Of `metav1.Time`. Throws with the message of Go's parser. */
export function canonicalTime(text: string): string {
  // Most times are already as they should be.
  if (text.length === 20 && text.endsWith('Z') && rfc3339.test(text) && !Number.isNaN(Date.parse(text))) return text
  return `${instant(text, '2006-01-02T15:04:05Z07:00').iso.slice(0, 19)}Z`
}

/** Of `metav1.MicroTime`. */
export function canonicalMicroTime(text: string): string {
  const { iso, fraction } = instant(text, '2006-01-02T15:04:05.000000Z07:00')
  return `${iso.slice(0, 19)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`
}

function instant(text: string, layout: string): { iso: string; fraction: string } {
  const match = rfc3339.exec(text)
  if (!match) throw new Error(`parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: ${complaint(text)}`)
  const ms = Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}${match[8]}`)
  if (Number.isNaN(ms)) throw new Error(`parsing time ${JSON.stringify(text)}: ${range(match)} out of range`)
  return { iso: new Date(ms).toISOString(), fraction: match[7] ?? '' }
}

function range(match: RegExpExecArray): string {
  if (Number(match[2]) < 1 || Number(match[2]) > 12) return 'month'
  if (Number(match[4]) > 23) return 'hour'
  if (Number(match[5]) > 59) return 'minute'
  if (Number(match[6]) > 59) return 'second'
  return 'day'
}

/** Go names the first part of the layout that does not fit and what stands there. */
function complaint(text: string): string {
  const parts: [RegExp, string][] = [
    [/^\d{4}/, '2006'],
    [/^-/, '-'],
    [/^\d\d/, '01'],
    [/^-/, '-'],
    [/^\d\d/, '02'],
    [/^T/, 'T'],
    [/^\d\d/, '15'],
    [/^:/, ':'],
    [/^\d\d/, '04'],
    [/^:/, ':'],
    [/^\d\d(?:[.,]\d+)?/, '05'],
    [/^(Z|[+-]\d\d:\d\d)/, 'Z07:00'],
  ]
  let rest = text
  for (const [pattern, element] of parts) {
    const found = pattern.exec(rest)
    if (!found) return `cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(element)}`
    rest = rest.slice(found[0].length)
  }
  return `extra text: ${JSON.stringify(rest)}`
}
