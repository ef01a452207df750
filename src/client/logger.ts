/** {@link Logger} that writes one line for each message: text for people, or JSON for programs. */
import type { Clock } from '../machinery/clock.ts'
import type { Logger } from './component.ts'

const levels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof levels)[number]

export interface LoggerOptions {
  clock: Clock
  /** Takes a line without its end. */
  write(line: string): void
  level?: LogLevel
  format?: 'text' | 'json'
  fields?: Record<string, unknown>
}

export function createLogger(options: LoggerOptions): Logger {
  const least = levels.indexOf(options.level ?? 'info')
  const line = options.format === 'json' ? jsonLine : textLine
  const at = (level: LogLevel) => (message: string, fields?: Record<string, unknown>) => {
    if (levels.indexOf(level) < least) return
    options.write(line(new Date(options.clock.now()).toISOString(), level, message, { ...options.fields, ...fields }))
  }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => createLogger({ ...options, fields: { ...options.fields, ...fields } }),
  }
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {}, with: () => silentLogger }

function jsonLine(time: string, level: LogLevel, message: string, fields: Record<string, unknown>): string {
  return JSON.stringify({ time, level, message, ...mapValues(fields, plain) })
}

function textLine(time: string, level: LogLevel, message: string, fields: Record<string, unknown>): string {
  const pairs = Object.entries(mapValues(fields, plain)).map(([name, value]) => `${name}=${typeof value === 'string' ? quoted(value) : JSON.stringify(value)}`)
  return [time, level.toUpperCase().padEnd(5), message, ...pairs].join(' ')
}

/** An error is shown by what it says; its stack only where it is not one that was made on purpose. */
function plain(value: unknown): unknown {
  if (!(value instanceof Error)) return value
  return value.name === 'Error' || value instanceof TypeError || value instanceof RangeError ? (value.stack ?? value.message) : value.message
}

const quoted = (text: string) => (/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text))

function mapValues(object: Record<string, unknown>, change: (value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]))
}
