/**
 * Runs a test file inside network, mount, PID, IPC and cgroup places of its own, as a cluster runs, and proves
 * that nothing of it is left. In the test file:
 *
 *   const inside = insideNamespaces(import.meta.url)
 *   if (inside) { …tests that use inside.directory and inside.cgroupRoot… }
 *
 * Seen from outside, the file holds one test: that what is inside passes.
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { removeCgroups } from '../../src/cluster/cgroup-parent.ts'

export interface Inside {
  /** Removed afterwards. */
  directory: string
  /** Path of the cgroup parent in each hierarchy, removed afterwards. */
  cgroupRoot: string
}

const variable = 'SKIFF_TEST_INSIDE'
const systemPath = `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`

/** Undefined outside. `needs` are programs without which the test is skipped. */
export function insideNamespaces(url: string, needs: string[] = ['crun', 'conmon', 'ip']): Inside | undefined {
  const told = process.env[variable]
  if (told) return JSON.parse(told) as Inside
  const file = fileURLToPath(url)
  test(`${basename(file)} in namespaces of its own`, { skip: reasonToSkip(['unshare', 'tini', ...needs]) }, () => runInside(file))
  return undefined
}

function reasonToSkip(programs: string[]): string | false {
  if (process.getuid?.() !== 0) return 'needs root'
  const missing = programs.filter((program) => spawnSync('sh', ['-c', `command -v ${program}`], { env: { PATH: systemPath } }).status !== 0)
  return missing.length > 0 ? `needs ${missing.join(', ')}` : false
}

async function runInside(file: string): Promise<void> {
  const id = `test-${randomBytes(4).toString('hex')}`
  const directory = mkdtempSync(join(tmpdir(), 'skiff-test-'))
  const inside: Inside = { directory, cgroupRoot: `/skiff-${id}` }
  const mountsBefore = readFileSync('/proc/self/mounts', 'utf8')
  // The runner's variable would make the inner one speak to a runner that does not listen.
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env
  const child = spawn(
    'unshare',
    ['--net', '--mount', '--pid', '--ipc', '--fork', '--kill-child', '--mount-proc', 'tini', '--', process.execPath, '--test-reporter=spec', file],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...environment, PATH: systemPath, [variable]: JSON.stringify(inside) } },
  )
  // Nothing goes on inside when this process is told to end.
  const end = () => child.kill('SIGKILL')
  const endAndExit = () => {
    child.once('close', async () => {
      await settled(() => removeCgroups(id))
      rmSync(directory, { recursive: true, force: true })
      process.exit(1)
    })
    end()
  }
  process.once('exit', end)
  process.once('SIGTERM', endAndExit)
  process.once('SIGINT', endAndExit)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += chunk
      if (process.env.SKIFF_TEST_VERBOSE) process.stderr.write(chunk)
    })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  process.off('exit', end)
  process.off('SIGTERM', endAndExit)
  process.off('SIGINT', endAndExit)
  const left = await settled(() => removeCgroups(id))
  if (process.env.SKIFF_TEST_KEEP) console.log(directory)
  else rmSync(directory, { recursive: true, force: true })
  assert.equal(code, 0, output)
  assert.deepEqual(left, [], 'cgroups with processes are left')
  assert.equal(readFileSync('/proc/self/mounts', 'utf8'), mountsBefore, 'mounts are left')
}

/** The kernel ends the processes of the PID namespace a moment after its first one. */
async function settled(remove: () => string[]): Promise<string[]> {
  for (let attempt = 0; ; attempt++) {
    const left = remove()
    if (left.length === 0 || attempt === 50) return left
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
