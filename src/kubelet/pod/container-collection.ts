import type { Runtime } from '../../runtime/runtime.ts'
import { attemptsOf, type PodRuntime } from './pod-runtime.ts'

/** Of each container the last ended attempt is kept, for its log and status; older ones go, and dead sandboxes with nothing in them. */
export async function collectContainers(runtime: Runtime, pod: PodRuntime): Promise<void> {
  for (const name of new Set(pod.containers.map((container) => container.metadata.name))) {
    const [, , ...older] = attemptsOf(pod, name)
    const dead = older.filter((container) => container.state === 'exited')
    for (const container of dead) await runtime.removeContainer(container.id)
  }
  const [newest, ...others] = pod.sandboxes
  for (const sandbox of others) {
    const used = pod.containers.some((container) => container.sandboxId === sandbox.id)
    if (newest && sandbox.state === 'notReady' && !used) await runtime.removePodSandbox(sandbox.id)
  }
}
