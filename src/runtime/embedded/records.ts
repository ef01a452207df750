/** What is written down of sandboxes and containers, so that the next process knows as much as this one. */
import type { ContainerConfig, PodSandbox, PodSandboxConfig } from '../runtime.ts'
import type { ProcessUser } from './spec/user.ts'

export interface SandboxRecord extends PodSandbox {
  config: PodSandboxConfig
  /** Of the process that holds a shared PID namespace; absent when each container has its own. */
  pausePid?: number
}

export interface ProcessIdentity {
  pid: number
  /** Ticks since boot; tells a process from a later one of the same number. */
  startTime: string
}

export interface ContainerRecord {
  id: string
  sandboxId: string
  config: ContainerConfig
  /** Id of the image. */
  imageId: string
  /** As pods show it: the image's whole name, and the digest it was pulled by. */
  imageName: string
  imageRef: string
  createdAt: number
  startedAt?: number
  finishedAt?: number
  exitCode?: number
  reason?: string
  message?: string
  process?: ProcessIdentity
  monitor?: ProcessIdentity
  user: ProcessUser
  /** What the process is started with. */
  args: string[]
  stopSignal: string
  /** Path below the root of each cgroup hierarchy. */
  cgroup: string
  logPath: string
}

export const containerState = (record: ContainerRecord): 'created' | 'running' | 'exited' =>
  record.finishedAt !== undefined ? 'exited' : record.startedAt !== undefined ? 'running' : 'created'
