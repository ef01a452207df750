/**
 * The first process of a PID namespace that a pod's containers share. It reaps what they leave, and sees nothing but
 * a root of its own that holds a static busybox. Only pods that share processes have one.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { RuntimeError } from '../runtime.ts'
import type { RuntimeContext } from './context.ts'
import { writeJson } from './json-file.ts'
import type { SandboxRecord } from './records.ts'
import { namespacePaths } from './sandbox-namespaces.ts'
import { namespacesOf } from './spec/namespaces.ts'
import type { OciSpec } from './spec/oci.ts'

const busybox = '/bin/busybox'
/** `wait` reaps whatever ends. */
const script = 'trap "exit 0" TERM INT; while :; do sleep 100000 & wait $!; done'

/** Returns its process id. */
export async function startPause(context: RuntimeContext, sandbox: SandboxRecord): Promise<number> {
  const { paths, crun } = context
  fillRoot(paths.pauseRoot)
  const bundle = paths.sandboxState(sandbox.id)
  const spec: OciSpec = {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: 65535, gid: 65535, additionalGids: [] },
      args: ['/busybox', 'sh', '-c', script],
      env: ['PATH=/'],
      cwd: '/',
      capabilities: { bounding: [], effective: [], permitted: [], inheritable: [] },
      rlimits: [],
      noNewPrivileges: true,
      oomScoreAdj: Math.max(-998, context.host.leastOomScoreAdj),
    },
    root: { path: paths.pauseRoot, readonly: true },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] }],
    annotations: {},
    linux: {
      namespaces: namespacesOf(namespacePaths(bundle, sandbox.config), 'container', context.cgroups.version, () => ''),
      cgroupsPath: join(context.cgroupRoot, sandbox.config.cgroupParent, sandbox.id),
      resources: {},
      devices: [],
      maskedPaths: [],
      readonlyPaths: [],
    },
  }
  writeJson(join(bundle, 'config.json'), spec)
  const pidFile = join(bundle, 'pause.pid')
  await crun.runDetached(sandbox.id, bundle, pidFile)
  return Number(readFileSync(pidFile, 'utf8'))
}

function fillRoot(root: string): void {
  const program = join(root, 'busybox')
  if (existsSync(program)) return
  if (!existsSync(busybox))
    throw new RuntimeError('FailedPrecondition', `sharing processes between containers needs ${busybox} (Debian package busybox-static)`)
  for (const name of ['proc', 'dev', 'sys']) mkdirSync(join(root, name), { recursive: true })
  copyFileSync(busybox, program)
  chmodSync(program, 0o755)
  // It tells by its name which program it is.
  symlinkSync('busybox', join(root, 'sleep'))
}
