/** Reads a page of metrics as strictly as the format is written down, for tests: every fault is an error. */
import assert from 'node:assert/strict'

export interface ParsedFamily {
  type: string
  help: string
  samples: { name: string; labels: Record<string, string>; value: number; at?: number }[]
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/

export function parseStrictly(text: string): Map<string, ParsedFamily> {
  assert.ok(text.endsWith('\n'), 'the last line ends')
  const families = new Map<string, ParsedFamily>()
  let current: ParsedFamily | undefined
  let name = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const head = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line)
    if (head) {
      const [, kind, of = '', rest = ''] = head
      assert.match(of, metricName)
      if (kind === 'HELP') {
        assert.ok(!families.has(of), `${of} comes twice`)
        assert.doesNotMatch(rest.replaceAll('\\\\', '').replaceAll('\\n', ''), /\\/, `a lone backslash in the help of ${of}`)
        name = of
        current = { type: '', help: rest, samples: [] }
        families.set(of, current)
      } else {
        assert.equal(of, name, 'the type follows the help')
        assert.ok(current && current.type === '' && current.samples.length === 0, `one type for ${of}`)
        assert.match(rest, /^(counter|gauge|histogram|summary|untyped)$/)
        current.type = rest
      }
      continue
    }
    assert.doesNotMatch(line, /^#|^\s*$/, `no other lines: ${JSON.stringify(line)}`)
    assert.ok(current?.type, `a sample before its family: ${line}`)
    const sample = parseSample(line)
    const suffixes = current.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
    assert.ok(
      suffixes.some((suffix) => sample.name === name + suffix),
      `${sample.name} is none of ${name}`,
    )
    if (current.type === 'counter') assert.ok(sample.value >= 0, `${line}: a counter is not negative`)
    current.samples.push(sample)
  }
  for (const [of, family] of families) check(of, family)
  return families
}

function parseSample(line: string): ParsedFamily['samples'][number] {
  const match = /^([^\s{]+)(?:\{(.*)\})? (\S+)(?: (-?\d+))?$/.exec(line)
  assert.ok(match, `not a sample: ${line}`)
  const [, name = '', labelPart, value = '', at] = match
  assert.match(name, metricName)
  const labels: Record<string, string> = {}
  let rest = labelPart ?? ''
  while (rest !== '') {
    const pair = /^([^=]+)="((?:[^"\\]|\\\\|\\"|\\n)*)"(?:,(?=.)|$)/.exec(rest)
    assert.ok(pair, `not a label: ${rest} in ${line}`)
    const [whole, label = '', text = ''] = pair
    assert.match(label, labelName)
    assert.ok(!(label in labels), `the label ${label} comes twice in ${line}`)
    labels[label] = text.replace(/\\(.)/g, (_, one) => (one === 'n' ? '\n' : one))
    rest = rest.slice(whole.length)
  }
  return { name, labels, value: numberOf(value, line), ...(at === undefined ? {} : { at: Number(at) }) }
}

function numberOf(text: string, line: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  if (text === '-Inf') return Number.NEGATIVE_INFINITY
  if (text === 'NaN') return Number.NaN
  assert.match(text, /^[+-]?(\d+(\.\d+)?|\.\d+)(e[+-]?\d+)?$/i, line)
  return Number(text)
}

function check(name: string, { type, samples }: ParsedFamily): void {
  assert.notEqual(samples.length, 0, `${name} has no value`)
  const seen = new Set<string>()
  for (const { name: of, labels } of samples) {
    const key = JSON.stringify([of, Object.entries(labels).sort()])
    assert.ok(!seen.has(key), `${key} comes twice`)
    seen.add(key)
    const names = Object.keys(labels).sort().join()
    const others = Object.keys(samples[0]?.labels ?? {})
      .sort()
      .join()
    if (type !== 'histogram') assert.equal(names, others, `${name}: the same labels everywhere`)
  }
  if (type === 'counter') assert.ok(name.endsWith('_total') || !name.endsWith('_count'), name)
  if (type === 'histogram') checkHistogram(name, samples)
}

function checkHistogram(name: string, samples: ParsedFamily['samples']): void {
  const groups = new Map<string, { bounds: number[]; counts: number[]; sum?: number; count?: number }>()
  for (const { name: of, labels, value } of samples) {
    const { le, ...rest } = labels
    const key = JSON.stringify(Object.entries(rest).sort())
    const group = groups.get(key) ?? { bounds: [], counts: [] }
    groups.set(key, group)
    if (of === `${name}_sum`) group.sum = value
    else if (of === `${name}_count`) group.count = value
    else {
      assert.ok(le !== undefined, `${of} has no bound`)
      group.bounds.push(numberOf(le, le))
      group.counts.push(value)
    }
  }
  for (const [key, { bounds, counts, sum, count }] of groups) {
    const where = `${name} ${key}`
    assert.deepEqual(
      bounds,
      [...new Set(bounds)].sort((a, b) => a - b),
      `${where}: bounds in order`,
    )
    assert.equal(bounds.at(-1), Number.POSITIVE_INFINITY, `${where}: +Inf is the last bound`)
    assert.deepEqual(
      counts,
      [...counts].sort((a, b) => a - b),
      `${where}: counts do not fall`,
    )
    assert.equal(counts.at(-1), count, `${where}: +Inf holds all`)
    assert.ok(sum !== undefined, `${where}: a sum`)
  }
}
