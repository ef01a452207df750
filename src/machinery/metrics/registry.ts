/**
 * What a component counts and measures. A registry is a value, one for each component; nothing is written, sorted or
 * timed until somebody asks for the text.
 */
import { headText, labelText, type MetricType, numberText } from './exposition.ts'

export type LabelValues = readonly string[]

/** One number: keep it where it is counted often. */
export class Series {
  value = 0

  add(by = 1): void {
    this.value += by
  }

  set(value: number): void {
    this.value = value
  }
}

/** A number that may be looked up when it is asked for. */
export class GaugeSeries extends Series {
  #read: (() => number) | undefined

  follow(read: () => number): void {
    this.#read = read
  }

  get current(): number {
    return this.#read ? this.#read() : this.value
  }
}

/** How many of the observed values lie below each bound. */
export class HistogramSeries {
  readonly bounds: readonly number[]
  readonly counts: number[]
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Array<number>(bounds.length).fill(0)
  }

  observe(value: number): void {
    this.sum += value
    this.count++
    // A loop and not `findIndex`: every request of a server comes by here several times.
    const { bounds, counts } = this
    for (let at = 0; at < bounds.length; at++)
      if (value <= (bounds[at] as number)) {
        counts[at] = (counts[at] as number) + 1
        return
      }
  }
}

export interface Family<S> {
  /** The series of these label values, in the order of the family's label names; made when first asked for. */
  of(...values: string[]): S
  /** It is told of no more. */
  remove(...values: string[]): void
}

interface Registered {
  type: MetricType
  text(): string
}

/** Bounds in the manner of upstream: from 1 ms, doubled. */
export const doubled = (first: number, count: number): number[] => Array.from({ length: count }, (_, index) => first * 2 ** index)
const usualBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export class MetricRegistry {
  readonly #families = new Map<string, Registered>()

  counter(name: string, help: string, labels: readonly string[] = []): Family<Series> {
    return this.#family(
      name,
      'counter',
      help,
      labels,
      () => new Series(),
      ({ value }, values) => numberLine(name, labels, values, value),
    )
  }

  gauge(name: string, help: string, labels: readonly string[] = []): Family<GaugeSeries> {
    return this.#family(
      name,
      'gauge',
      help,
      labels,
      () => new GaugeSeries(),
      ({ current }, values) => numberLine(name, labels, values, current),
    )
  }

  histogram(name: string, help: string, labels: readonly string[] = [], bounds: readonly number[] = usualBounds): Family<HistogramSeries> {
    return this.#family(
      name,
      'histogram',
      help,
      labels,
      () => new HistogramSeries(bounds),
      (series, values) => histogramText(name, labels, values, series),
    )
  }

  /** Values that are known elsewhere, read when asked for. Of several with the same label values the last counts. */
  read(name: string, type: 'counter' | 'gauge', help: string, labels: readonly string[], values: () => Iterable<readonly [LabelValues, number]>): void {
    this.#families.set(name, {
      type,
      text() {
        const lines = new Map([...values()].map(([of, value]) => [labelText(labels, of), value]))
        if (lines.size === 0) return ''
        return headText(name, type, help) + [...lines].map(([of, value]) => `${name}${of} ${numberText(value)}\n`).join('')
      },
    })
  }

  /** All families by name; those without a value are left out. */
  text(): string {
    return [...this.#families]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, family]) => family.text())
      .join('')
  }

  /** Who asks for a family again, as each work queue does for those of all, gets the same. */
  #family<S>(
    name: string,
    type: MetricType,
    help: string,
    labels: readonly string[],
    make: () => S,
    write: (series: S, values: LabelValues) => string,
  ): Family<S> {
    const known = this.#families.get(name)
    if (known instanceof SeriesFamily) {
      if (known.type !== type) throw new Error(`the metric ${name} is a ${known.type}`)
      return known as SeriesFamily<S>
    }
    const family = new SeriesFamily(name, type, help, labels, make, write)
    this.#families.set(name, family)
    return family
  }
}

class SeriesFamily<S> implements Family<S>, Registered {
  readonly #series = new Map<string, { values: LabelValues; series: S }>()
  readonly #head: string
  readonly #labels: readonly string[]
  readonly #make: () => S
  readonly #write: (series: S, values: LabelValues) => string
  readonly type: MetricType

  constructor(name: string, type: MetricType, help: string, labels: readonly string[], make: () => S, write: (series: S, values: LabelValues) => string) {
    this.type = type
    this.#head = headText(name, type, help)
    this.#labels = labels
    this.#make = make
    this.#write = write
  }

  of(...values: string[]): S {
    if (values.length !== this.#labels.length) throw new Error(`${values.length} values for the labels ${this.#labels.join(', ')}`)
    const key = values.length === 1 ? (values[0] ?? '') : values.join('\u0000')
    const known = this.#series.get(key)
    if (known) return known.series
    const series = this.#make()
    this.#series.set(key, { values, series })
    return series
  }

  remove(...values: string[]): void {
    this.#series.delete(values.join('\u0000'))
  }

  text(): string {
    if (this.#series.size === 0) return ''
    return this.#head + [...this.#series.values()].map(({ series, values }) => this.#write(series, values)).join('')
  }
}

const numberLine = (name: string, labels: readonly string[], values: LabelValues, value: number) => `${name}${labelText(labels, values)} ${numberText(value)}\n`

function histogramText(name: string, labels: readonly string[], values: LabelValues, { bounds, counts, sum, count }: HistogramSeries): string {
  const of = labelText(labels, values)
  // The labels are the same in each of some twenty lines: they are written once.
  const bucket = `${name}_bucket${of === '' ? '{' : `${of.slice(0, -1)},`}le="`
  let text = ''
  let below = 0
  for (let at = 0; at < bounds.length; at++) {
    below += counts[at] ?? 0
    text += `${bucket}${bounds[at]}"} ${below}\n`
  }
  return `${text}${bucket}+Inf"} ${count}\n${name}_sum${of} ${numberText(sum)}\n${name}_count${of} ${count}\n`
}
