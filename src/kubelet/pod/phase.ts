import type { V1ContainerStatus, V1Pod } from '../../machinery/schema/generated/types.ts'
import { isSidecar } from './identity.ts'
import { restartsAfter } from './restart-policy.ts'

/** The phase by upstream's rules, from the statuses of the containers. `ended`: nothing will be started again. */
export function computePhase(pod: V1Pod, inits: readonly V1ContainerStatus[], apps: readonly V1ContainerStatus[], ended: boolean): string {
  let pendingInit = 0
  let failedInit = 0
  let lostInit = 0
  const anyAppRan = apps.some((status) => status.state?.running || status.state?.terminated || status.lastState?.terminated)
  for (const container of pod.spec.initContainers ?? []) {
    const status = inits.find((one) => one.name === container.name)
    if (isSidecar(container)) {
      if (!anyAppRan && !status?.started) pendingInit++
      continue
    }
    const end = status?.state?.terminated ?? (status?.state?.waiting ? status.lastState?.terminated : undefined)
    if (end && end.exitCode !== 0) {
      failedInit++
      if (!restartsAfter(pod, container, end.exitCode)) lostInit++
    } else if (!end) pendingInit++
  }
  if (lostInit > 0) return 'Failed'
  if (pendingInit + failedInit > 0 && !anyAppRan) return ended && failedInit > 0 ? 'Failed' : 'Pending'

  let running = 0
  let waiting = 0
  let stopped = 0
  let succeeded = 0
  for (const { state, lastState } of apps) {
    if (state?.running) running++
    else if (state?.terminated) {
      stopped++
      if (state.terminated.exitCode === 0) succeeded++
    } else if (lastState?.terminated) stopped++
    else waiting++
  }
  if (waiting > 0) return 'Pending'
  if (running > 0) return 'Running'
  if (stopped === 0) return 'Pending'
  const comesBack = pod.spec.containers.some((container) => {
    const status = apps.find(({ name }) => name === container.name)
    const end = status?.state?.terminated ?? status?.lastState?.terminated
    return end !== undefined && restartsAfter(pod, container, end.exitCode)
  })
  if (!ended && comesBack) return 'Running'
  return stopped === succeeded ? 'Succeeded' : 'Failed'
}
