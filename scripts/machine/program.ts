/** Programs that are waited for; one that fails is an error with what it said. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'

const environment = () => ({ ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` })

export function run(program: string, args: string[], { cwd, quiet }: { cwd?: string; quiet?: boolean } = {}): void {
  const stdio = ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'] as const
  check(program, spawnSync(program, args, { stdio: [...stdio], env: environment(), encoding: 'utf8', maxBuffer: 2 ** 28, ...(cwd ? { cwd } : {}) }))
}

export function output(program: string, args: string[]): string {
  return check(program, spawnSync(program, args, { env: environment(), encoding: 'utf8' })).stdout
}

function check(program: string, result: SpawnSyncReturns<string>): SpawnSyncReturns<string> {
  if (result.error) throw result.error
  if (result.status !== 0) throw new Error(`${program} ended with ${result.signal ?? result.status}\n${result.stderr ?? ''}`)
  return result
}
