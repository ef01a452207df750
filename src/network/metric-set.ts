/** The few metrics of a component, written in the Prometheus text format. */
type Labels = Record<string, string>

interface Family {
  type: 'counter' | 'gauge' | 'histogram'
  help: string
  buckets: number[]
  series: Map<string, Series>
}

interface Series {
  value: number
  counts: number[]
  count: number
}

const defaultBuckets = [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1, 2, 4, 8]

export class MetricSet {
  readonly #families = new Map<string, Family>()

  describe(name: string, type: Family['type'], help: string, buckets: number[] = defaultBuckets): void {
    this.#families.set(name, { type, help, buckets, series: new Map() })
  }

  add(name: string, labels: Labels = {}, by = 1): void {
    this.#series(name, labels).value += by
  }

  set(name: string, value: number, labels: Labels = {}): void {
    this.#series(name, labels).value = value
  }

  observe(name: string, value: number, labels: Labels = {}): void {
    const series = this.#series(name, labels)
    const bucket = this.#family(name).buckets.findIndex((limit) => value <= limit)
    if (bucket >= 0) series.counts[bucket] = (series.counts[bucket] ?? 0) + 1
    series.count++
    series.value += value
  }

  text(): string {
    const lines: string[] = []
    for (const [name, family] of this.#families) {
      lines.push(`# HELP ${name} ${family.help}`, `# TYPE ${name} ${family.type}`)
      for (const [labels, series] of family.series) {
        if (family.type === 'histogram') lines.push(...histogramLines(name, labels, family.buckets, series))
        else lines.push(`${name}${labels === '' ? '' : `{${labels}}`} ${series.value}`)
      }
    }
    return `${lines.join('\n')}\n`
  }

  #family(name: string): Family {
    const family = this.#families.get(name)
    if (!family) throw new Error(`metric ${name} is not described`)
    return family
  }

  #series(name: string, labels: Labels): Series {
    const { series } = this.#family(name)
    const key = Object.entries(labels)
      .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
      .join(',')
    const one = series.get(key) ?? { value: 0, counts: [], count: 0 }
    series.set(key, one)
    return one
  }
}

function histogramLines(name: string, labels: string, buckets: number[], series: Series): string[] {
  const separator = labels === '' ? '' : ','
  const lines: string[] = []
  let sum = 0
  buckets.forEach((limit, index) => {
    sum += series.counts[index] ?? 0
    lines.push(`${name}_bucket{${labels}${separator}le="${limit}"} ${sum}`)
  })
  const suffix = labels === '' ? '' : `{${labels}}`
  lines.push(`${name}_bucket{${labels}${separator}le="+Inf"} ${series.count}`, `${name}_sum${suffix} ${series.value}`, `${name}_count${suffix} ${series.count}`)
  return lines
}
