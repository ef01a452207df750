/**
 * A cluster whose data lies on a file system of a few hundred megabytes, to run short of disk where nobody else does.
 * It is mounted in a namespace that the cluster alone lives in: the host never sees it, and it is gone with the last
 * process in there.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { dataDirectory, runningCluster } from '../../src/cluster/data-directory.ts'
import { buildBusyboxImage } from '../../src/runtime/embedded/build/busybox-image.ts'
import { openImageStore } from '../../src/runtime/embedded/images/image-store.ts'
import { busybox, runToEnd, skiff, type TestCluster, testDirectory, upWords } from './cluster.ts'
import { kubectl } from './kubectl.ts'

export async function startClusterOnSmallDisk({
  mebibytes,
  inodes,
  words = [],
}: {
  mebibytes: number
  inodes: number
  words?: string[]
}): Promise<TestCluster> {
  const directory = testDirectory()
  const dataDir = join(directory, 'data')
  mkdirSync(dataDir)
  // Ends with its input, which ends with this process.
  const holder = spawn(
    'unshare',
    ['--mount', 'sh', '-c', `mount -t tmpfs -o size=${mebibytes}m,nr_inodes=${inodes},mode=755 skiff-test "$1" && echo mounted && exec cat`, 'sh', dataDir],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const clear = () => {
    holder.stdin.end()
    rmSync(directory, { recursive: true, force: true })
  }
  await new Promise<void>((resolve, reject) => {
    holder.once('error', reject)
    holder.once('exit', (code) => reject(new Error(`the file system cannot be mounted (${code})`)))
    holder.stdout.once('data', () => resolve())
  })
  const seen = `/proc/${holder.pid}/root${dataDir}`
  const inside = (...command: string[]) => runToEnd('nsenter', [`--mount=/proc/${holder.pid}/ns/mnt`, '--', ...command])
  const kubeconfig = join(directory, 'kubeconfig')
  try {
    mkdirSync(join(seen, 'images'))
    await buildBusyboxImage(openImageStore(join(seen, 'images')), busybox)
    await inside(skiff, ...upWords(dataDir), '--kubeconfig', kubeconfig, ...words)
  } catch (error) {
    clear()
    throw error
  }
  return {
    dataDir,
    running: () => runningCluster(dataDirectory(seen)),
    kubectl: await kubectl(kubeconfig),
    skiff: (...more) => inside(skiff, ...more),
    async remove() {
      await inside(skiff, 'down', '--data-dir', dataDir)
      clear()
    },
  }
}
