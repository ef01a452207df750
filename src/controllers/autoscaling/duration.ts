const unitMs: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 0.001, µs: 0.001, ns: 0.000001 }

/** Milliseconds of `1m30.5s`; 0 for what is no duration. */
export function parseDuration(text: string): number {
  let sum = 0
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(h|ms|m|s|us|µs|ns)/g)) sum += Number(amount) * (unitMs[unit ?? ''] ?? 0)
  return sum
}
