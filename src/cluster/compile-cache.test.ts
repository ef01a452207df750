import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { prune } from './compile-cache.ts'

it('compiled code that nothing has read for a week is forgotten, of whichever version', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-compiled-'))
  const now = Date.parse('2026-03-10T00:00:00Z')
  for (const [name, read, written] of [
    ['v1/old', '2026-03-01', '2026-03-01'],
    ['v2/read', '2026-03-09', '2026-02-01'],
    ['v2/new', '2026-03-01', '2026-03-09'],
    ['v2/old', '2026-03-02', '2026-02-01'],
  ] as const) {
    mkdirSync(join(directory, name, '..'), { recursive: true })
    writeFileSync(join(directory, name), '')
    utimesSync(join(directory, name), new Date(read), new Date(written))
  }
  await prune(directory, now)
  assert.deepEqual(readdirSync(directory, { recursive: true }).sort(), ['v1', 'v2', 'v2/new', 'v2/read'])
  rmSync(directory, { recursive: true })
})
