/** Results for a terminal, and as the tables of docs/benchmarks.md. */
import type { MachineFacts } from './machine.ts'
import { meets, type Result } from './measure.ts'
import type { ProfileShare } from './profile.ts'

export interface Report {
  machine: MachineFacts
  results: Result[]
  missing: { name: string; why: string }[]
  profile?: { what: string; shares: ProfileShare[] }[]
  seconds: number
}

const format = (value: number) => (value >= 1000 ? Math.round(value).toLocaleString('en') : value >= 10 ? value.toFixed(0) : value.toFixed(2))
const goalOf = ({ goal, unit }: Result) => (goal ? ('atMost' in goal ? `≤ ${format(goal.atMost)} ${unit}` : `≥ ${format(goal.atLeast)} ${unit}`) : '')
const mark = (result: Result) => ({ true: 'met', false: 'missed', undefined: '' })[String(meets(result)) as 'true']

export function line(result: Result): string {
  const goal = goalOf(result)
  const told = goal ? `(${goal}: ${mark(result)})` : ''
  return `${result.what.padEnd(42)} ${`${format(result.value)} ${result.unit}`.padStart(16)}  ${told.padEnd(24)} ${result.how}`
}

export function markdown({ machine, results, missing, profile, seconds }: Report): string {
  const rows = results.map((result) => `| ${result.what} | ${format(result.value)} ${result.unit} | ${goalOf(result)} | ${mark(result)} | ${result.how} |`)
  const shares = (profile ?? []).flatMap(({ what, shares: list }) => [
    `### ${what}`,
    '',
    '| Share of the time | Where |',
    '|---:|---|',
    ...list.map(({ share, where }) => `| ${(share * 100).toFixed(1)} % | ${where} |`),
    '',
  ])
  return [
    '## Measured',
    '',
    `${machine.date} UTC at ${machine.commit}: ${machine.processors}, ${machine.memory}, Linux ${machine.kernel}, Node ${machine.node}; load before the first measure ${machine.load.toFixed(1)}; the whole took ${Math.round(seconds)} s.`,
    '',
    '| What | Measured | Goal | | How |',
    '|---|---:|---:|---|---|',
    ...rows,
    '',
    ...missing.map(({ name, why }) => `Not measured: ${name}: ${why}`),
    ...(shares.length > 0 ? ['## Where the time goes', '', ...shares] : []),
  ].join('\n')
}
