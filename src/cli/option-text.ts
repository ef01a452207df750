/** Options of another command in one text, as `skiff up` takes them for what it starts: `scan-interval=30s expander=priority`. */
import { UserError } from '../cluster/user-error.ts'
import type { Option, Values } from './command.ts'

export interface OptionText {
  text: string
  /** That the text was given to. */
  flag: string
  options: Readonly<Record<string, Option>>
  /** Whose options they are: `cluster-autoscaler`. */
  command: string
  example: string
}

export function valuesFrom({ text, flag, options, command, example }: OptionText): Values {
  const values: Values = Object.fromEntries(Object.entries(options).map(([name, option]) => [name, option.default]))
  for (const word of text.split(/\s+/).filter((one) => one !== '')) {
    const [, name = '', value] = /^(?:--)?([^=]+)=(.*)$/.exec(word) ?? []
    if (value === undefined || !(name in options)) throw new UserError(`${flag} takes options of 'skiff ${command}' as ${example}, and '${word}' is none`)
    values[name] = value
  }
  return values
}
