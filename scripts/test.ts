/**
 * `npm test`: types, lint, then every test file, two at a time where there are two processors. `npm test -- PATH…`
 * runs those files alone. The last line is `N passed, N failed, N skipped`; the exit code is 0 only when nothing
 * failed.
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { run } from 'node:test'
import { patience } from '../test/tools/patience.ts'

const chosen = process.argv.slice(2)
const counts = { passed: 0, failed: 0, skipped: 0 }

function check(title: string, command: string, args: string[]): void {
  const started = performance.now()
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${title} (${Math.round(performance.now() - started)} ms)`)
  if (status === 0) counts.passed++
  else counts.failed++
}

if (chosen.length === 0) {
  check('types', 'tsc', ['-p', '.'])
  check('format and lint', 'biome', ['check', '--reporter=summary', '.'])
  check('import directions and house rules', process.execPath, ['scripts/check-source.ts'])
}

const files = chosen.length > 0 ? chosen : globSync(['src/**/*.test.ts', 'test/**/*.test.ts', 'examples/**/*.test.ts']).sort()
const perFile = new Map<string, number>()

interface Result {
  name: string
  file?: string
  skip?: string | boolean
  todo?: string | boolean
  nesting: number
  details: { type?: string; duration_ms: number; error?: Error & { cause?: unknown } }
}

function count(result: Result, ok: boolean): void {
  const file = result.file ?? ''
  if (result.nesting === 0) perFile.set(file, (perFile.get(file) ?? 0) + result.details.duration_ms)
  const isSuite = result.details.type === 'suite'
  if (ok && isSuite) return
  // A suite fails with its tests, which are counted; it is told of only where it failed by itself.
  if (!ok && isSuite && /subtests? failed/.test(String(result.details.error?.message ?? result.details.error))) return
  if (result.skip !== undefined && result.skip !== false) {
    counts.skipped++
    console.log(`SKIP ${file}: ${result.name} (${result.skip})`)
  } else if (ok) counts.passed++
  else {
    counts.failed++
    const error = result.details.error
    const cause = error?.cause
    console.log(`FAIL ${file}: ${result.name}\n${cause instanceof Error ? cause.stack : (error?.stack ?? error)}`)
  }
}

await new Promise<void>((resolve, reject) => {
  const stream = run({ files, concurrency: Math.min(2, availableParallelism()), timeout: 12 * 60_000 * patience })
  stream.on('test:pass', (result) => count(result as unknown as Result, true))
  stream.on('test:fail', (result) => count(result as unknown as Result, false))
  stream.on('test:stderr', ({ message }) => process.stderr.write(message))
  stream.on('end', resolve)
  stream.on('error', reject)
  stream.resume()
})

const slowest = [...perFile].sort(([, a], [, b]) => b - a).slice(0, 10)
console.log(`slowest:\n${slowest.map(([file, ms]) => `  ${(ms / 1000).toFixed(1)} s  ${file}`).join('\n')}`)
if (counts.passed + counts.failed === 0) console.log('no test was found')
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exit(counts.failed > 0 || counts.passed === 0 || (process.env.CI && counts.skipped > 0) ? 1 : 0)
