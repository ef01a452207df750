import type { V1ContainerStatus, V1Pod, V1PodCondition } from '../../machinery/schema/generated/types.ts'
import { isSidecar } from './identity.ts'

type Draft = Pick<V1PodCondition, 'type' | 'status' | 'reason' | 'message'>

/** Conditions that the kubelet owns; every other one on the pod is somebody else's and stays. */
export const ownConditions = [
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
  'DisruptionTarget',
  'PodResizePending',
  'PodResizeInProgress',
]

/** Those that are taken away when they hold no longer. */
export const passingConditions = ['PodResizePending', 'PodResizeInProgress']

const yes = (type: string, reason?: string): Draft => ({ type, status: 'True', ...(reason ? { reason } : {}) })
const no = (type: string, reason: string, message?: string): Draft => ({ type, status: 'False', reason, ...(message ? { message } : {}) })

export interface ConditionSources {
  pod: V1Pod
  phase: string
  sandboxReady: boolean
  inits: readonly V1ContainerStatus[]
  apps: readonly V1ContainerStatus[]
}

export function computeConditions(sources: ConditionSources): Draft[] {
  const containersReady = containersReadyCondition(sources)
  return [
    sources.sandboxReady ? yes('PodReadyToStartContainers') : { type: 'PodReadyToStartContainers', status: 'False' },
    initializedCondition(sources),
    readyCondition(sources, containersReady),
    containersReady,
    // Also of one that nobody had to find a node for.
    yes('PodScheduled'),
  ]
}

function initializedCondition({ pod, phase, inits, apps }: ConditionSources): Draft {
  const type = 'Initialized'
  const appRan = apps.some((status) => status.state?.running || status.state?.terminated || status.lastState?.terminated)
  if (phase === 'Succeeded') return yes(type, 'PodCompleted')
  if (appRan) return yes(type)
  const incomplete = (pod.spec.initContainers ?? []).filter((container) => {
    const status = inits.find((one) => one.name === container.name)
    return isSidecar(container) ? !status?.started : !status?.ready
  })
  return incomplete.length === 0 ? yes(type) : no(type, 'ContainersNotInitialized', `containers with incomplete status: [${names(incomplete)}]`)
}

function containersReadyCondition({ pod, phase, inits, apps }: ConditionSources): Draft {
  const type = 'ContainersReady'
  if (phase === 'Succeeded') return no(type, 'PodCompleted')
  if (phase === 'Failed') return no(type, 'PodFailed')
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar)
  const unready = [...sidecars, ...pod.spec.containers].filter((container) => ![...inits, ...apps].find((status) => status.name === container.name)?.ready)
  return unready.length === 0 ? yes(type) : no(type, 'ContainersNotReady', `containers with unready status: [${names(unready)}]`)
}

function readyCondition({ pod }: ConditionSources, containersReady: Draft): Draft {
  if (containersReady.status !== 'True') return { ...containersReady, type: 'Ready' }
  const wrong: string[] = []
  for (const { conditionType } of pod.spec.readinessGates ?? []) {
    const condition = pod.status?.conditions?.find((one) => one.type === conditionType)
    if (!condition) wrong.push(`corresponding condition of pod readiness gate ${JSON.stringify(conditionType)} does not exist.`)
    else if (condition.status !== 'True') wrong.push(`the status of pod readiness gate ${JSON.stringify(conditionType)} is not "True", but ${condition.status}`)
  }
  return wrong.length === 0 ? yes('Ready') : no('Ready', 'ReadinessGatesNotReady', wrong.join(', '))
}

const names = (containers: readonly { name: string }[]) => containers.map(({ name }) => name).join(' ')

/** The drafts with the times of their last change, and what others own as it is. */
export function mergeConditions(drafts: readonly Draft[], stored: readonly V1PodCondition[], generation: number | undefined, now: string): V1PodCondition[] {
  const own = drafts.map((draft): V1PodCondition => {
    const before = stored.find((condition) => condition.type === draft.type)
    return {
      ...draft,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      lastTransitionTime: before?.status === draft.status && before.lastTransitionTime ? before.lastTransitionTime : now,
    }
  })
  return [...own, ...stored.filter(({ type }) => !drafts.some((draft) => draft.type === type) && !passingConditions.includes(type))]
}
