/** How the autoscaler decides, as the command line says it: names and defaults as upstream's flags. */
import type { AutoscalerSettings, ExpanderName } from '../autoscaler/settings.ts'
import { UserError } from '../cluster/user-error.ts'
import { parseQuantity } from '../machinery/quantity.ts'
import type { Option, Values } from './command.ts'
import { duration } from './numbers.ts'
import { valuesFrom } from './option-text.ts'

const expanders: readonly ExpanderName[] = ['random', 'least-waste', 'priority']

export const autoscalerOptions: Record<string, Option> = {
  expander: { type: 'string', value: 'NAMES', default: 'least-waste', help: `which pool grows: ${expanders.join(', ')}, or several, one after the other` },
  'balance-similar-node-groups': { type: 'string', value: 'true|false', default: 'false', help: 'whether pools whose nodes are alike grow in turn' },
  'balancing-ignore-label': { type: 'string', value: 'LABELS', help: 'that may differ between nodes that are alike, beside those of zones and regions' },
  'scan-interval': { type: 'string', value: 'TIME', default: '10s', help: 'how often it looks without being asked' },
  'max-nodes-total': { type: 'string', value: 'NUMBER', default: '0', help: 'of the whole cluster; 0: no limit' },
  'max-cores-total': { type: 'string', value: 'NUMBER', help: 'of the whole cluster' },
  'max-memory-total': { type: 'string', value: 'AMOUNT', help: 'of the whole cluster, as 320Gi' },
  'scale-down-enabled': { type: 'string', value: 'true|false', default: 'true', help: 'whether nodes go' },
  'scale-down-utilization-threshold': { type: 'string', value: 'SHARE', default: '0.5', help: 'a node of which more is requested stays' },
  'scale-down-unneeded-time': { type: 'string', value: 'TIME', default: '10m', help: 'so long a node is not needed before it goes' },
  'scale-down-unready-time': { type: 'string', value: 'TIME', default: '20m', help: 'the same for a node that is not ready' },
  'scale-down-delay-after-add': { type: 'string', value: 'TIME', default: '10m', help: 'after nodes were added none goes for so long' },
  'max-node-provision-time': { type: 'string', value: 'TIME', default: '15m', help: 'a node that is not ready after so long is given up' },
}

export function autoscalerSettings(values: Values): Partial<AutoscalerSettings> {
  const number = (name: string): number => {
    const value = Number(values[name])
    if (values[name] === '' || !Number.isFinite(value) || value < 0)
      throw new UserError(`--${name} must be a number that is not negative, not '${values[name]}'`)
    return value
  }
  // A bare number is seconds.
  const ms = (name: string) => duration(/^\d+$/.test(String(values[name])) ? `${values[name]}s` : values[name], `--${name}`)
  const yes = (name: string): boolean => {
    const word = values[name]
    if (word !== 'true' && word !== 'false') throw new UserError(`--${name} must be true or false, not '${word}'`)
    return word === 'true'
  }
  const memory = values['max-memory-total']
  return {
    expanders: String(values.expander)
      .split(',')
      .map((name) => {
        const known = expanders.find((one) => one === name.trim())
        if (!known) throw new UserError(`--expander takes ${expanders.join(', ')}, and '${name}' is none of them`)
        return known
      }),
    balanceSimilarNodeGroups: yes('balance-similar-node-groups'),
    balancingIgnoreLabels: String(values['balancing-ignore-label'] ?? '')
      .split(',')
      .filter((label) => label !== ''),
    scanIntervalMs: scanInterval(ms('scan-interval')),
    maxNodesTotal: number('max-nodes-total'),
    ...(values['max-cores-total'] === undefined ? {} : { maxCores: number('max-cores-total') }),
    ...(typeof memory === 'string' ? { maxMemoryBytes: bytes(memory) } : {}),
    scaleDownEnabled: yes('scale-down-enabled'),
    scaleDownUtilizationThreshold: number('scale-down-utilization-threshold'),
    scaleDownUnneededMs: ms('scale-down-unneeded-time'),
    scaleDownUnreadyMs: ms('scale-down-unready-time'),
    scaleDownDelayAfterAddMs: ms('scale-down-delay-after-add'),
    maxNodeProvisionMs: ms('max-node-provision-time'),
  }
}

function scanInterval(ms: number): number {
  if (ms < 1000) throw new UserError('--scan-interval must be a second at least')
  return ms
}

function bytes(text: string): number {
  try {
    return Number(parseQuantity(text).nanos / 1_000_000_000n)
  } catch (error) {
    throw new UserError(`--max-memory-total must be an amount, as 320Gi, not '${text}'`, { cause: error })
  }
}

/** Reads the same from one text: `scan-interval=30s balance-similar-node-groups=true`. */
export function autoscalerSettingsFrom(text: string, flag: string): Partial<AutoscalerSettings> {
  return autoscalerSettings(valuesFrom({ text, flag, options: autoscalerOptions, command: 'cluster-autoscaler', example: 'scan-interval=30s' }))
}
