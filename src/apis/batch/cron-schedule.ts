/** Checks of a cron schedule of five fields, or a descriptor such as `@hourly`. */
const descriptors = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'])
const names: Record<string, readonly string[]> = {
  month: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  weekday: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
}
const fields: readonly { name: string; min: number; max: number }[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12 },
  { name: 'weekday', min: 0, max: 6 },
]

/** What is wrong with a schedule, if anything. */
export function scheduleProblem(schedule: string): string | undefined {
  if (schedule.includes('TZ')) return 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'
  if (schedule.startsWith('@')) {
    if (descriptors.has(schedule) || /^@every (\d+(\.\d+)?(ns|us|ms|s|m|h))+$/.test(schedule)) return undefined
    return `unrecognized descriptor: ${schedule}`
  }
  const parts = schedule.trim().split(/\s+/)
  if (parts.length !== 5) return `expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`
  for (const [index, part] of parts.entries()) {
    const field = fields[index]
    const problem =
      field &&
      part
        .split(',')
        .map((one) => rangeProblem(one, field))
        .find((one) => one !== undefined)
    if (problem) return problem
  }
  return undefined
}

function rangeProblem(text: string, field: { name: string; min: number; max: number }): string | undefined {
  const [range = '', step, ...rest] = text.split('/')
  if (rest.length > 0) return `too many slashes: ${text}`
  if (step !== undefined && !/^[0-9]+$/.test(step)) return `failed to parse int from ${step}: strconv.Atoi: parsing "${step}": invalid syntax`
  if (step !== undefined && Number(step) === 0) return `step of range should be a positive number: ${text}`
  if (range === '*' || range === '?') return undefined
  const ends = range.split('-')
  if (ends.length > 2) return `too many hyphens: ${text}`
  const numbers: number[] = []
  for (const end of ends) {
    const named = names[field.name]?.indexOf(end.toLowerCase()) ?? -1
    const number = named >= 0 ? named + field.min : Number(/^[0-9]+$/.test(end) ? end : Number.NaN)
    if (Number.isNaN(number)) return `failed to parse int from ${end}: strconv.Atoi: parsing "${end}": invalid syntax`
    if (number < field.min) return `beginning of range (${number}) below minimum (${field.min}): ${text}`
    if (number > field.max) return `end of range (${number}) above maximum (${field.max}): ${text}`
    numbers.push(number)
  }
  const [from = 0, to = from] = numbers
  return from > to ? `beginning of range (${from}) beyond end of range (${to}): ${text}` : undefined
}
