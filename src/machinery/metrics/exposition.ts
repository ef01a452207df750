/** The Prometheus text format, version 0.0.4: what a scraper reads. */

export const expositionType = 'text/plain; version=0.0.4; charset=utf-8'

export type MetricType = 'counter' | 'gauge' | 'histogram'

const escapes: Record<string, string> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }

/** `{verb="GET",code="200"}`; empty where there is no label. */
export function labelText(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return ''
  return `{${names.map((name, index) => `${name}="${(values[index] ?? '').replace(/[\\"\n]/g, (one) => escapes[one] ?? one)}"`).join(',')}}`
}

export function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

export const headText = (name: string, type: MetricType, help: string): string =>
  `# HELP ${name} ${help.replace(/[\\\n]/g, (one) => escapes[one] ?? one)}\n# TYPE ${name} ${type}\n`

/** Writes families one after the other, for pages whose values are read at the moment they are asked for. */
export class Exposition {
  #text = ''

  /** The values that follow are of this one. A family without values is left out by who writes it. */
  family(name: string, type: MetricType, help: string): (labels: Readonly<Record<string, string>>, value: number, at?: number) => void {
    this.#text += headText(name, type, help)
    return (labels, value, at) => {
      const time = at === undefined ? '' : ` ${Math.trunc(at)}`
      this.#text += `${name}${labelText(Object.keys(labels), Object.values(labels))} ${numberText(value)}${time}\n`
    }
  }

  toString(): string {
    return this.#text
  }
}
