/** What the command line says of simulated nodes. */
import { parseQuantity } from '../../machinery/quantity.ts'
import type { SimulatedLife } from '../../runtime/simulated/life.ts'
import { UserError } from '../user-error.ts'
import { mostSimulatedNodes } from './simulated-addresses.ts'

export interface SimulatedNodesWish {
  /** Of those that are called `simulated-1` and so on. */
  count: number
  /** Of each; absent: the usual. */
  capacity?: Record<string, string>
  /** Of all containers whose pods do not say otherwise. */
  life?: SimulatedLife
}

interface Words {
  /** `1000` */
  count: string | undefined
  /** `cpu=8,memory=32Gi,pods=110` */
  capacity: string | undefined
  /** JSON. */
  life: string | undefined
}

/** Undefined when no simulated nodes are asked for. */
export function parseSimulatedNodes(words: Words): SimulatedNodesWish | undefined {
  if (words.count === undefined) {
    const without = words.capacity !== undefined ? '--simulated-node' : words.life !== undefined ? '--simulated-life' : undefined
    if (without) throw new UserError(`${without} says nothing without --simulated-nodes`)
    return undefined
  }
  const count = Number(words.count)
  if (words.count === '' || !Number.isInteger(count) || count < 0 || count > mostSimulatedNodes)
    throw new UserError(`--simulated-nodes must be a number from 0 to ${mostSimulatedNodes}, not '${words.count}'`)
  return {
    count,
    ...(words.capacity === undefined ? {} : { capacity: parseCapacity(words.capacity) }),
    ...(words.life === undefined ? {} : { life: parseLife(words.life) }),
  }
}

function parseCapacity(text: string): Record<string, string> {
  const entries = text.split(',').map((part): [string, string] => {
    const [name = '', amount = ''] = part.split('=', 2).map((word) => word.trim())
    try {
      if (name === '' || parseQuantity(amount).nanos < 0n) throw new Error('not an amount')
    } catch (error) {
      throw new UserError(`--simulated-node takes amounts as cpu=8,memory=32Gi,pods=110, and '${part}' is none`, { cause: error })
    }
    return [name, amount]
  })
  return Object.fromEntries(entries)
}

const numbers = ['startDelayMs', 'runMs', 'exitCode', 'failureRate', 'readyAfterMs', 'unhealthyAfterMs', 'stopMs'] as const

function parseLife(text: string): SimulatedLife {
  let life: unknown
  try {
    life = JSON.parse(text)
  } catch (error) {
    throw new UserError(`--simulated-life must be JSON, as {"startDelayMs":500}: ${error instanceof Error ? error.message : error}`)
  }
  if (typeof life !== 'object' || life === null || Array.isArray(life)) throw new UserError('--simulated-life must be a JSON object, as {"startDelayMs":500}')
  for (const name of numbers) {
    const value = (life as Record<string, unknown>)[name]
    if (value !== undefined && (typeof value !== 'number' || value < 0)) throw new UserError(`--simulated-life: ${name} must be a number that is not negative`)
  }
  return life as SimulatedLife
}
