import type { V1ContainerState, V1ContainerStatus, V1Pod } from '../../machinery/schema/generated/types.ts'
import { shortDuration } from '../age.ts'
import { ageColumn, nameColumn, text, wide } from '../columns.ts'
import type { Column } from '../resource.ts'

export const podColumns: readonly Column<V1Pod>[] = [
  nameColumn,
  text('Ready', (pod) => {
    const { ready, total } = podSummary(pod)
    return `${ready}/${total}`
  }),
  text('Status', (pod) => podSummary(pod).reason),
  text('Restarts', (pod, now) => {
    const { restarts, lastRestart } = podSummary(pod)
    return restarts > 0 && lastRestart ? `${restarts} (${shortDuration(now - lastRestart)} ago)` : `${restarts}`
  }),
  ageColumn,
  wide(text('IP', (pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? '<none>')),
  wide(text('Node', (pod) => pod.spec.nodeName || '<none>')),
  wide(text('Nominated Node', (pod) => pod.status?.nominatedNodeName || '<none>')),
  wide(text('Readiness Gates', readinessGates)),
]

function readinessGates({ spec, status }: V1Pod): string {
  if (!spec.readinessGates?.length) return '<none>'
  const met = spec.readinessGates.filter((gate) => status?.conditions?.some((one) => one.type === gate.conditionType && one.status === 'True'))
  return `${met.length}/${spec.readinessGates.length}`
}

interface Summary {
  /** One word (or two) for the state of the pod, as its worst or current container tells it. */
  reason: string
  ready: number
  total: number
  restarts: number
  lastRestart: number
}

/** What `kubectl get pods` says of a pod. */
export function podSummary(pod: V1Pod): Summary {
  const { spec, status = {} } = pod
  const sidecars = new Set((spec.initContainers ?? []).filter((one) => one.restartPolicy === 'Always').map((one) => one.name))
  const summary: Summary = {
    reason: status.reason || status.phase || '',
    ready: 0,
    total: (spec.containers?.length ?? 0) + sidecars.size,
    restarts: 0,
    lastRestart: 0,
  }
  const condition = (type: string) => status.conditions?.find((one) => one.type === type)
  if (condition('PodScheduled')?.reason === 'SchedulingGated') summary.reason = 'SchedulingGated'

  const initializing = countInitContainers(pod, sidecars, summary)
  if (!initializing || condition('Initialized')?.status === 'True') {
    // Init containers that are over no longer count; sidecars do.
    Object.assign(summary, { restarts: 0, lastRestart: 0 })
    for (const one of status.initContainerStatuses ?? []) if (sidecars.has(one.name)) countRestarts(summary, one)
    let running = false
    for (const one of [...(status.containerStatuses ?? [])].reverse()) {
      countRestarts(summary, one)
      const reason = one.state?.waiting?.reason || terminationReason(one.state)
      if (reason) summary.reason = reason
      else if (one.ready && one.state?.running) {
        running = true
        summary.ready++
      }
    }
    if (summary.reason === 'Completed' && running) summary.reason = condition('Ready')?.status === 'True' ? 'Running' : 'NotReady'
  }
  if (pod.metadata.deletionTimestamp) {
    if (status.reason === 'NodeLost') summary.reason = 'Unknown'
    else if (status.phase !== 'Succeeded' && status.phase !== 'Failed') summary.reason = 'Terminating'
  }
  return summary
}

/** Looks for the first init container that is not over; whether there is one. */
function countInitContainers({ spec, status }: V1Pod, sidecars: ReadonlySet<string>, summary: Summary): boolean {
  for (const [index, one] of (status?.initContainerStatuses ?? []).entries()) {
    countRestarts(summary, one)
    if (one.state?.terminated?.exitCode === 0) continue
    if (sidecars.has(one.name) && one.started) {
      if (one.ready) summary.ready++
      continue
    }
    const waiting = one.state?.waiting?.reason
    const ended = terminationReason(one.state)
    if (ended) summary.reason = `Init:${ended}`
    else if (waiting && waiting !== 'PodInitializing') summary.reason = `Init:${waiting}`
    else summary.reason = `Init:${index}/${spec.initContainers?.length ?? 0}`
    return true
  }
  return false
}

function terminationReason(state: V1ContainerState | undefined): string {
  const ended = state?.terminated
  if (!ended) return ''
  return ended.reason || (ended.signal ? `Signal:${ended.signal}` : `ExitCode:${ended.exitCode}`)
}

function countRestarts(summary: Summary, container: V1ContainerStatus): void {
  summary.restarts += container.restartCount
  const finished = container.lastState?.terminated?.finishedAt
  if (finished) summary.lastRestart = Math.max(summary.lastRestart, Date.parse(finished))
}
