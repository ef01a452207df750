import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readPidLimits } from './pid-limits.ts'

test('limits on processes are those of a group and of all above it that have one', () => {
  const root = mkdtempSync(join(tmpdir(), 'skiff-pids-'))
  const group = (path: string, max: string | undefined, current: number) => {
    mkdirSync(join(root, path), { recursive: true })
    if (max !== undefined) writeFileSync(join(root, path, 'pids.max'), `${max}\n`)
    writeFileSync(join(root, path, 'pids.current'), `${current}\n`)
  }
  group('', undefined, 0)
  group('cluster', '500', 130)
  group('cluster/node', 'max', 120)
  group('cluster/narrow', '40', 12)
  const cgroups = { version: 2 as const, swapAccounting: true, directory: (_: string, path: string) => join(root, path) }
  try {
    assert.deepEqual(readPidLimits(cgroups, '/cluster/node'), [{ limit: 500, used: 130 }])
    assert.deepEqual(readPidLimits(cgroups, '/cluster/narrow'), [
      { limit: 40, used: 12 },
      { limit: 500, used: 130 },
    ])
    assert.deepEqual(readPidLimits({ ...cgroups, directory: () => undefined }, '/cluster/narrow'), [], 'the controller is not mounted')
  } finally {
    rmSync(root, { recursive: true })
  }
})
