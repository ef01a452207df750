import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Exposition } from './exposition.ts'
import { addProcessMetrics } from './process-metrics.ts'
import { MetricRegistry } from './registry.ts'
import { parseStrictly } from './testing/strict-parser.ts'

describe('a registry of metrics', () => {
  it('writes counters, gauges and histograms that a strict reader takes', () => {
    const registry = new MetricRegistry()
    const requests = registry.counter('requests_total', 'With a \\ and\na line.', ['verb', 'path'])
    requests.of('GET', 'a "b"\\c\nd').add()
    requests.of('GET', 'a "b"\\c\nd').add(2)
    registry.gauge('heat', 'None yet.', ['where'])
    registry.gauge('depth', 'How deep.').of().set(Number.POSITIVE_INFINITY)
    const took = registry.histogram('took_seconds', 'Time.', ['verb'], [0.1, 1])
    for (const value of [0.05, 0.1, 0.5, 7]) took.of('GET').observe(value)
    const families = parseStrictly(registry.text())
    assert.deepEqual([...families.keys()], ['depth', 'requests_total', 'took_seconds'])
    assert.deepEqual(families.get('requests_total')?.samples, [{ name: 'requests_total', labels: { verb: 'GET', path: 'a "b"\\c\nd' }, value: 3 }])
    assert.deepEqual(
      families.get('took_seconds')?.samples.map(({ labels, value }) => [labels.le, value]),
      [
        ['0.1', 2],
        ['1', 3],
        ['+Inf', 4],
        [undefined, 7.65],
        [undefined, 4],
      ],
    )
  })

  it('gives who asks again the same family, and refuses another type or other labels', () => {
    const registry = new MetricRegistry()
    registry.counter('adds_total', 'x', ['name']).of('a').add()
    registry.counter('adds_total', 'x', ['name']).of('a').add()
    assert.equal(parseStrictly(registry.text()).get('adds_total')?.samples[0]?.value, 2)
    assert.throws(() => registry.gauge('adds_total', 'x', ['name']), /is a counter/)
    assert.throws(() => registry.counter('adds_total', 'x', ['name']).of('a', 'b'), /2 values/)
    registry.counter('adds_total', 'x', ['name']).remove('a')
    assert.equal(registry.text(), '')
  })

  it('reads what is known elsewhere when asked, the process among it', () => {
    const registry = new MetricRegistry()
    let objects = 1
    registry.read('objects', 'gauge', 'x', ['kind'], () => (objects === 0 ? [] : [[['pods'], objects]]))
    addProcessMetrics(registry)
    objects = 5
    const families = parseStrictly(registry.text())
    assert.equal(families.get('objects')?.samples[0]?.value, 5)
    assert.ok((families.get('process_resident_memory_bytes')?.samples[0]?.value ?? 0) > 1 << 20)
    objects = 0
    assert.ok(!parseStrictly(registry.text()).has('objects'))
  })
})

describe('a page written at once', () => {
  it('holds times', () => {
    const page = new Exposition()
    page.family('cpu_seconds_total', 'counter', 'x')({ pod: 'a"b' }, 1.5, 1234.7)
    assert.deepEqual(parseStrictly(String(page)).get('cpu_seconds_total')?.samples, [
      { name: 'cpu_seconds_total', labels: { pod: 'a"b' }, value: 1.5, at: 1234 },
    ])
  })
})

describe('the strict reader', () => {
  const faults: Record<string, string> = {
    'a family twice': '# HELP a x\n# TYPE a gauge\na 1\n# HELP a x\n# TYPE a gauge\na 2\n',
    'a value twice': '# HELP a x\n# TYPE a gauge\na 1\na 2\n',
    'a bare sample': 'a 1\n',
    'an unescaped quote': '# HELP a x\n# TYPE a gauge\na{b="c"d"} 1\n',
    'buckets out of order': '# HELP a x\n# TYPE a histogram\na_bucket{le="2"} 1\na_bucket{le="1"} 1\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
    'a count that is not +Inf': '# HELP a x\n# TYPE a histogram\na_bucket{le="+Inf"} 1\na_sum 1\na_count 2\n',
    'no last line': '# HELP a x\n# TYPE a gauge\na 1',
  }
  for (const [what, text] of Object.entries(faults)) it(`refuses ${what}`, () => assert.throws(() => parseStrictly(text)))
})
