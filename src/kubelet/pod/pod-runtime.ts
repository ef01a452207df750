import type { ContainerStatus, PodSandbox } from '../../runtime/runtime.ts'

/** What the runtime has of one pod: the level that the pod worker is driven by. Newest first. */
export interface PodRuntime {
  sandboxes: PodSandbox[]
  containers: ContainerStatus[]
}

export const nothingRuns: PodRuntime = { sandboxes: [], containers: [] }

/** Every attempt of the container, newest first. */
export const attemptsOf = (runtime: PodRuntime, name: string): ContainerStatus[] => runtime.containers.filter((one) => one.metadata.name === name)

export const latestOf = (runtime: PodRuntime, name: string): ContainerStatus | undefined => runtime.containers.find((one) => one.metadata.name === name)

export const readySandbox = (runtime: PodRuntime): PodSandbox | undefined => runtime.sandboxes.find((one) => one.state === 'ready')

export const isRunning = (container: ContainerStatus): boolean => container.state === 'running'

export const somethingRuns = (runtime: PodRuntime): boolean => runtime.containers.some(isRunning)
