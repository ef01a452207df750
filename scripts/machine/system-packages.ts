/** The packages that `set-up.sh` installs, by the same list. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export function systemPackages(purpose: string): string[] {
  return readFileSync(join(import.meta.dirname, '../system-packages'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => {
      const [, name = '', only] = line.split(' ')
      return only === undefined || only === purpose ? [name] : []
    })
}
