/** Numbers that may be percentages: `3` or `25%`. */

/** Of the total where it is a percentage, rounded up or down. Throws for any other text. */
export function scaledValue(value: number | string, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return value
  const percent = percentOf(value)
  if (percent === undefined) throw new Error(`invalid value for IntOrString: invalid type: string is not a percentage`)
  return round === 'up' ? Math.ceil((percent * total) / 100) : Math.floor((percent * total) / 100)
}

/** 25 for `25%`; nothing for what is no percentage. */
export function percentOf(value: number | string): number | undefined {
  const match = typeof value === 'string' ? /^([+-]?\d+)%$/.exec(value) : null
  return match ? Number(match[1]) : undefined
}
