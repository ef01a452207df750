/** One command of `skiff`: its words, what `--help` says, and what it does. */
import type { ParseArgsConfig } from 'node:util'

export interface Option {
  type: 'string' | 'boolean'
  default?: string | boolean
  /** What stands for the value in the help: `DIRECTORY`. */
  value?: string
  help: string
}

export interface Values {
  [name: string]: string | boolean | undefined
}

export interface Command {
  name: string
  /** One line for the list of commands. */
  summary: string
  /** What follows the name: `RECIPE -t NAME`. */
  usage?: string
  options: Readonly<Record<string, Option>>
  /** Words after it are not ours to read (`skiff kubectl get pods -A`). */
  passThrough?: boolean
  /** Returns the exit code; 0 when it returns nothing. */
  run(values: Values, positionals: string[]): Promise<number | undefined>
}

export function parseOptions(command: Command): NonNullable<ParseArgsConfig['options']> {
  return Object.fromEntries(
    Object.entries(command.options).map(([name, { type, default: initial }]) => [name, { type, ...(initial === undefined ? {} : { default: initial }) }]),
  )
}

export function helpOf(command: Command): string {
  const lines = Object.entries(command.options).map(([name, option]) => {
    const left = `  --${name}${option.type === 'string' ? ` ${option.value ?? 'VALUE'}` : ''}`
    return `${left.padEnd(31)} ${option.help}${option.default !== undefined && option.default !== false ? ` (${option.default})` : ''}`
  })
  return [`skiff ${command.name}${command.usage ? ` ${command.usage}` : ''}`, `  ${command.summary}`, ...(lines.length > 0 ? ['', ...lines] : [])].join('\n')
}
