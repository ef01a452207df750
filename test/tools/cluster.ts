/** A whole cluster as a user starts it: `bin/skiff up --detach` over a directory of its own, with a busybox image. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { dataDirectory, type RunningCluster, runningCluster } from '../../src/cluster/data-directory.ts'
import { buildBusyboxImage } from '../../src/runtime/embedded/build/busybox-image.ts'
import { openImageStore } from '../../src/runtime/embedded/images/image-store.ts'
import { type Kubectl, kubectl } from './kubectl.ts'
import { patience } from './patience.ts'

const execute = promisify(execFile)
/** A command that hangs fails its test, and not the whole run. */
export const runToEnd = (file: string, words: string[]) => execute(file, words, { timeout: 120_000, killSignal: 'SIGKILL' })
export const skiff = join(import.meta.dirname, '../../bin/skiff')
export const busybox = 'busybox:1.35'

export interface TestCluster {
  dataDir: string
  running(): RunningCluster | undefined
  kubectl: Kubectl
  skiff(...words: string[]): Promise<{ stdout: string; stderr: string }>
  /** Stops it and removes its directory. */
  remove(): Promise<void>
}

export function testDirectory(prefix = 'skiff-cluster-'): string {
  return mkdtempSync(join(tmpdir(), prefix))
}

/** Free ports, no way out. */
export const upWords = (dataDir: string) => [
  'up',
  '--detach',
  '--data-dir',
  dataDir,
  '--kubeconfig',
  join(dataDir, 'kubeconfig'),
  '--api-port',
  '0',
  '--http-port',
  '0',
  '--https-port',
  '0',
  '--egress',
  'off',
]

export async function startTestCluster(options: { busybox?: boolean; words?: string[]; directoryPrefix?: string } = {}): Promise<TestCluster> {
  const dataDir = testDirectory(options.directoryPrefix)
  if (options.busybox ?? true) {
    mkdirSync(join(dataDir, 'images'), { recursive: true })
    await buildBusyboxImage(openImageStore(join(dataDir, 'images')), busybox)
  }
  await runToEnd(skiff, [...upWords(dataDir), ...(options.words ?? [])]).catch((error) => {
    rmSync(dataDir, { recursive: true, force: true })
    throw error
  })
  return {
    dataDir,
    running: () => runningCluster(dataDirectory(dataDir)),
    kubectl: await kubectl(join(dataDir, 'kubeconfig')),
    skiff: (...words) => runToEnd(skiff, words),
    async remove() {
      await runToEnd(skiff, ['down', '--data-dir', dataDir])
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** Asks until `check` gives something; the last error tells what was wrong. */
export async function eventually<T>(what: string, check: () => Promise<T | undefined | false>, seconds = 30): Promise<T> {
  const end = performance.now() + seconds * 1000 * patience
  let last: unknown
  while (performance.now() < end) {
    try {
      const found = await check()
      if (found) return found
      last = undefined
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`after ${seconds * patience} s: ${what}${last ? ` (${last instanceof Error ? last.message : last})` : ''}`)
}
