import { readFileSync } from 'node:fs'
import type { Command } from '../command.ts'

export const version: Command = {
  name: 'version',
  summary: 'Prints the version of Skiff and of the Kubernetes it is.',
  options: {},
  async run() {
    const { version: own } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }
    console.log(`skiff ${own} (Kubernetes 1.36, Node ${process.version})`)
    return 0
  },
}
