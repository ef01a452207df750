/**
 * `npm run test:cgroup2 [-- FILE…]`: the tests in a machine with Debian, systemd and control groups of version 2,
 * whatever this machine has. The work tree goes in as it is.
 *
 *   --release NAME    another Debian than this machine's: trixie
 *   --guide           the guide in place of the tests
 *   --command TEXT    a shell command in place of the tests
 *   --memory MIB
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { machineAptSources } from '../../src/runtime/embedded/build/apt-sources.ts'
import { makeKernel } from './kernel.ts'
import { runInMachine } from './machine.ts'
import { makeSystemDisk } from './system-disk.ts'
import { makeWorkDisk } from './work-disk.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    release: { type: 'string' },
    guide: { type: 'boolean' },
    command: { type: 'string' },
    memory: { type: 'string', default: '6144' },
  },
})

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`
/** Where images are that were built outside: inside there is no archive to build them from. */
const guide = 'guide --exit --data-dir "$PWD/.cache/guide"'
const job = values.command ?? `exec sh scripts/run.sh ${values.guide ? guide : ['test', ...positionals.map(quoted)].join(' ')}`

const root = join(import.meta.dirname, '../..')
const cache = join(root, '.cache/machine')
mkdirSync(cache, { recursive: true })
const own = machineAptSources().release
const release = values.release ?? own
const kernel = makeKernel(cache)
const systemDisk = makeSystemDisk(cache, release)
const directory = mkdtempSync(join(cache, 'run-'))
try {
  const workDisk = join(directory, 'work')
  makeWorkDisk(workDisk, root, release === own)
  process.exitCode = await runInMachine(
    { kernel, systemDisk, workDisk, memoryMiB: Number(values.memory), directory },
    `export SKIFF_TEST_PATIENCE=10\n${job}\n`,
  )
} finally {
  rmSync(directory, { recursive: true })
}
