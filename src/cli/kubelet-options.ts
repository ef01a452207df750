/** When a node is short of something and what is done then, as the command line says it: names as upstream's flags. */
import { UserError } from '../cluster/user-error.ts'
import { guestThresholds } from '../kubelet/eviction/node-eviction.ts'
import { readThresholds } from '../kubelet/eviction/thresholds.ts'
import type { KubeletSettings } from '../kubelet/settings.ts'
import type { Option, Values } from './command.ts'
import { count, duration } from './numbers.ts'
import { valuesFrom } from './option-text.ts'

const usualHard = Object.entries(guestThresholds.hard ?? {})
  .map((pair) => pair.join('<'))
  .join(',')

export const kubeletOptions: Record<string, Option> = {
  'eviction-hard': { type: 'string', value: 'SIGNAL<AMOUNT,…', help: `so much must be left, else pods are evicted at once (${usualHard})` },
  'eviction-soft': { type: 'string', value: 'SIGNAL<AMOUNT,…', help: 'the same, after a while and with grace' },
  'eviction-soft-grace-period': { type: 'string', value: 'SIGNAL=TIME,…', help: 'that while, for each of them' },
  'eviction-max-pod-grace-period': { type: 'string', value: 'SECONDS', default: '0', help: 'that grace, at most' },
  'eviction-minimum-reclaim': { type: 'string', value: 'SIGNAL=AMOUNT,…', help: 'so much more must be free again before eviction ends' },
  'eviction-pressure-transition-period': { type: 'string', value: 'TIME', default: '5m', help: 'so long the node tells of pressure that is over' },
  'housekeeping-interval': { type: 'string', value: 'TIME', default: '10s', help: 'how often it is looked what is left' },
  'image-gc-high-threshold': { type: 'string', value: 'PERCENT', default: '85', help: 'unused images are removed when their disk is so full' },
  'image-gc-low-threshold': { type: 'string', value: 'PERCENT', default: '80', help: 'until it is so full' },
  'minimum-image-ttl-duration': { type: 'string', value: 'TIME', default: '2m', help: 'so long an image stays that nobody uses' },
}

const mostGraceSeconds = 24 * 3600

export function kubeletSettings(values: Values): KubeletSettings {
  const seconds = (name: string) => duration(values[name], `--${name}`) / 1000
  const amounts = (name: string, separator: '<' | '=') => pairs(values[name], `--${name}`, separator)
  const hard = amounts('eviction-hard', '<')
  const soft = amounts('eviction-soft', '<')
  const softGrace = amounts('eviction-soft-grace-period', '=')
  const minimumReclaim = amounts('eviction-minimum-reclaim', '=')
  const thresholds = {
    ...(hard ? { hard } : guestThresholds),
    ...(soft ? { soft } : {}),
    ...(softGrace
      ? {
          softGraceSeconds: Object.fromEntries(
            Object.entries(softGrace).map(([signal, time]) => [signal, duration(time, '--eviction-soft-grace-period') / 1000]),
          ),
        }
      : {}),
    ...(minimumReclaim ? { minimumReclaim } : {}),
  }
  try {
    readThresholds(thresholds)
  } catch (error) {
    throw new UserError(`--eviction-…: ${error instanceof Error ? error.message : error}`, { cause: error })
  }
  const everySeconds = seconds('housekeeping-interval')
  if (everySeconds < 1) throw new UserError('--housekeeping-interval must be a second at least')
  const percent = (name: string) => count(values[name], `--${name}`, 0, 100)
  const [highPercent, lowPercent] = [percent('image-gc-high-threshold'), percent('image-gc-low-threshold')]
  if (lowPercent >= highPercent) throw new UserError('--image-gc-low-threshold must be below --image-gc-high-threshold')
  return {
    eviction: {
      ...thresholds,
      maxPodGracePeriodSeconds: count(values['eviction-max-pod-grace-period'], '--eviction-max-pod-grace-period', 0, mostGraceSeconds),
      pressureTransitionSeconds: seconds('eviction-pressure-transition-period'),
      everySeconds,
    },
    imageCollection: { highPercent, lowPercent, minimumAgeSeconds: seconds('minimum-image-ttl-duration') },
  }
}

/** Reads the same from one text: `eviction-hard=memory.available<200Mi eviction-pressure-transition-period=30s`. */
export const kubeletSettingsFrom = (text: string, flag: string): KubeletSettings =>
  kubeletSettings(valuesFrom({ text, flag, options: kubeletOptions, command: 'kubelet', example: 'eviction-hard=memory.available<200Mi' }))

/** `memory.available<200Mi,nodefs.available<10%`; undefined when it was not said. */
function pairs(text: string | boolean | undefined, flag: string, separator: '<' | '='): Record<string, string> | undefined {
  if (typeof text !== 'string') return undefined
  return Object.fromEntries(
    text
      .split(',')
      .filter((pair) => pair !== '')
      .map((pair): [string, string] => {
        const [name = '', amount = '', ...rest] = pair.split(separator)
        if (name === '' || amount === '' || rest.length > 0)
          throw new UserError(`${flag} takes pairs like memory.available${separator}1, and '${pair}' is none`)
        return [name, amount]
      }),
  )
}
