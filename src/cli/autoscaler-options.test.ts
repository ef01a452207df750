import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultSettings } from '../autoscaler/settings.ts'
import { autoscalerSettingsFrom } from './autoscaler-options.ts'

const read = (text: string) => autoscalerSettingsFrom(text, '--cluster-autoscaler')

test('what is not said is as upstream has it', () => {
  assert.deepEqual({ ...defaultSettings, ...read('') }, defaultSettings)
})

test("options are upstream's, times with and without a unit", () => {
  const settings = read(
    'scan-interval=30s expander=priority,least-waste  balance-similar-node-groups=true --balancing-ignore-label=rack,row scale-down-unneeded-time=90 max-memory-total=2Gi',
  )
  assert.equal(settings.scanIntervalMs, 30_000)
  assert.deepEqual(settings.expanders, ['priority', 'least-waste'])
  assert.equal(settings.balanceSimilarNodeGroups, true)
  assert.deepEqual(settings.balancingIgnoreLabels, ['rack', 'row'])
  assert.equal(settings.scaleDownUnneededMs, 90_000)
  assert.equal(settings.maxMemoryBytes, 2 * 2 ** 30)
})

test('what is wrong is told in a sentence', () => {
  const cases: [string, RegExp][] = [
    ['scan', /^UserError: --cluster-autoscaler takes options of 'skiff cluster-autoscaler' as scan-interval=30s, and 'scan' is none$/],
    ['colour=red', /'colour=red' is none/],
    ['scan-interval=often', /--scan-interval must be a time/],
    ['scan-interval=0', /--scan-interval must be a second at least/],
    ['expander=price', /--expander takes random, least-waste, priority, and 'price' is none of them/],
    ['balance-similar-node-groups=yes', /must be true or false, not 'yes'/],
    ['max-nodes-total=-1', /must be a number that is not negative/],
    ['max-memory-total=much', /must be an amount, as 320Gi/],
  ]
  for (const [text, expected] of cases)
    assert.throws(
      () => read(text),
      (error: Error) => expected.test(`${error.constructor.name}: ${error.message}`),
      text,
    )
})
