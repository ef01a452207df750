/** Counters, gauges and histograms in the Prometheus text format. */

export type Labels = Record<string, string>

export interface Metric {
  render(): string
}

const escapeValue = (value: string) => value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))

export function renderLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const head = (name: string, help: string, type: string) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`

export class Counter implements Metric {
  readonly #name: string
  readonly #help: string
  readonly #values = new Map<string, number>()

  constructor(name: string, help: string) {
    this.#name = name
    this.#help = help
  }

  /** `labels` as {@link renderLabels} gives them; callers keep them where they count often. */
  add(labels: string, by = 1): void {
    this.#values.set(labels, (this.#values.get(labels) ?? 0) + by)
  }

  render(): string {
    return head(this.#name, this.#help, 'counter') + [...this.#values].map(([labels, value]) => `${this.#name}${labels} ${value}\n`).join('')
  }
}

/** Values that are read when asked for. */
export class Gauge implements Metric {
  readonly #name: string
  readonly #help: string
  readonly #read: () => Iterable<[Labels, number]>

  constructor(name: string, help: string, read: () => Iterable<[Labels, number]>) {
    this.#name = name
    this.#help = help
    this.#read = read
  }

  render(): string {
    return head(this.#name, this.#help, 'gauge') + [...this.#read()].map(([labels, value]) => `${this.#name}${renderLabels(labels)} ${value}\n`).join('')
  }
}

interface Series {
  labels: Labels
  buckets: number[]
  sum: number
  count: number
}

export class Histogram implements Metric {
  readonly #name: string
  readonly #help: string
  readonly #bounds: readonly number[]
  readonly #series = new Map<string, Series>()

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name
    this.#help = help
    this.#bounds = bounds
  }

  observe(key: string, labels: () => Labels, value: number): void {
    let series = this.#series.get(key)
    if (!series) {
      series = { labels: labels(), buckets: new Array<number>(this.#bounds.length).fill(0), sum: 0, count: 0 }
      this.#series.set(key, series)
    }
    series.sum += value
    series.count++
    const at = this.#bounds.findIndex((bound) => value <= bound)
    if (at >= 0) series.buckets[at] = (series.buckets[at] ?? 0) + 1
  }

  render(): string {
    let text = head(this.#name, this.#help, 'histogram')
    for (const { labels, buckets, sum, count } of this.#series.values()) {
      let below = 0
      for (const [i, bound] of this.#bounds.entries()) {
        below += buckets[i] ?? 0
        text += `${this.#name}_bucket${renderLabels({ ...labels, le: String(bound) })} ${below}\n`
      }
      text += `${this.#name}_bucket${renderLabels({ ...labels, le: '+Inf' })} ${count}\n`
      text += `${this.#name}_sum${renderLabels(labels)} ${sum}\n${this.#name}_count${renderLabels(labels)} ${count}\n`
    }
    return text
  }
}
