import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guestThresholds } from '../kubelet/eviction/node-eviction.ts'
import { kubeletSettingsFrom } from './kubelet-options.ts'

const read = (text: string) => kubeletSettingsFrom(text, '--kubelet')

test('what is not said is as upstream has it, but for the thresholds of a guest', () => {
  assert.deepEqual(read(''), {
    eviction: { ...guestThresholds, maxPodGracePeriodSeconds: 0, pressureTransitionSeconds: 300, everySeconds: 10 },
    imageCollection: { highPercent: 85, lowPercent: 80, minimumAgeSeconds: 120 },
  })
})

test("options are upstream's; thresholds take the place of all the usual ones", () => {
  const { eviction, imageCollection } = read(
    [
      'eviction-hard=memory.available<200Mi,nodefs.available<10%',
      '--eviction-soft=pid.available<1000  eviction-soft-grace-period=pid.available=1m30s',
      'eviction-max-pod-grace-period=60 eviction-minimum-reclaim=nodefs.available=1Gi',
      'eviction-pressure-transition-period=30s housekeeping-interval=2s image-gc-high-threshold=100 minimum-image-ttl-duration=0',
    ].join(' '),
  )
  assert.deepEqual(eviction, {
    hard: { 'memory.available': '200Mi', 'nodefs.available': '10%' },
    soft: { 'pid.available': '1000' },
    softGraceSeconds: { 'pid.available': 90 },
    maxPodGracePeriodSeconds: 60,
    minimumReclaim: { 'nodefs.available': '1Gi' },
    pressureTransitionSeconds: 30,
    everySeconds: 2,
  })
  assert.deepEqual(imageCollection, { highPercent: 100, lowPercent: 80, minimumAgeSeconds: 0 })
})

test('what is wrong is told in a sentence', () => {
  const cases: [string, RegExp][] = [
    ['eviction', /^UserError: --kubelet takes options of 'skiff kubelet' as eviction-hard=memory.available<200Mi, and 'eviction' is none$/],
    ['node-name=x', /'node-name=x' is none/],
    ['eviction-hard=memory.available=200Mi', /--eviction-hard takes pairs like memory.available<1, and 'memory.available=200Mi' is none/],
    ['eviction-hard=swap.available<1', /unsupported eviction signal swap.available/],
    ['eviction-hard=memory.available<much', /--eviction-…: /],
    ['eviction-hard=nodefs.available<101%', /must be >= 0% and <= 100%/],
    ['eviction-soft=memory.available<1Gi', /grace period must be specified for the soft eviction threshold memory.available/],
    ['eviction-soft=memory.available<1Gi eviction-soft-grace-period=memory.available=soon', /--eviction-soft-grace-period must be a time/],
    ['eviction-max-pod-grace-period=-1', /--eviction-max-pod-grace-period must be a number/],
    ['eviction-pressure-transition-period=later', /--eviction-pressure-transition-period must be a time/],
    ['housekeeping-interval=0', /--housekeeping-interval must be a second at least/],
    ['image-gc-low-threshold=90', /--image-gc-low-threshold must be below --image-gc-high-threshold/],
  ]
  for (const [text, expected] of cases)
    assert.throws(
      () => read(text),
      (error: Error) => expected.test(`${error.constructor.name}: ${error.message}`),
      text,
    )
})
