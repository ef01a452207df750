/** The value below which a share of all lies; NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const median = (values: readonly number[]) => quantile(values, 0.5)

export const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

export const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

/** The median, and between which values it lies with 95 % confidence, whatever the values' distribution: by the signs of their ranks. */
export function medianWithConfidence(values: readonly number[]): { median: number; low: number; high: number } {
  const sorted = [...values].sort((a, b) => a - b)
  const rank = Math.max(0, Math.floor(sorted.length / 2 - 0.98 * Math.sqrt(sorted.length)) - 1)
  return { median: median(values), low: sorted[rank] ?? Number.NaN, high: sorted[sorted.length - 1 - rank] ?? Number.NaN }
}
