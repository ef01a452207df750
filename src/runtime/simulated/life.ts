/**
 * The life of a simulated container, as data: what it does once started, without a process behind it.
 * A test or a load run says it by a function of the container's configuration, or the pod says it itself
 * in an annotation.
 */
import type { ContainerConfig, PodSandboxConfig } from '../runtime.ts'

export interface SimulatedLife {
  /** How long `startContainer` takes. */
  startDelayMs?: number
  /** Ends by itself after this long; absent: runs until it is stopped. */
  runMs?: number
  /** Of an end by itself; 0 when absent. */
  exitCode?: number
  /** Chance, in [0, 1], that an end by itself is a failure with exit code 1. */
  failureRate?: number
  /** Ends as the kernel's memory killer would end it. */
  oomKilled?: boolean
  /** Probes fail until it has run this long. */
  readyAfterMs?: number
  /** Probes fail from this long after the start on. */
  unhealthyAfterMs?: number
  /** From the stop signal to its end; 0 when absent. More than the grace period means it is killed. */
  stopMs?: number
  /** `startContainer` fails with this message. */
  startError?: string
  /** Lines for the log, written at the start. */
  output?: { stream?: 'stdout' | 'stderr'; line: string /** No newline ends it. */; partial?: boolean }[]
  /** Written to the termination message file at its end. */
  terminationMessage?: string
  usage?: { milliCores: number; memoryBytes: number }
  /** What a command answers that is run inside; exit code 0 without output when absent. */
  command?(command: string[]): CommandAnswer
}

export interface CommandAnswer {
  exitCode: number
  stdout?: string
  stderr?: string
  /** How long it takes. */
  takesMs?: number
}

export type LifeOf = (container: ContainerConfig, sandbox: PodSandboxConfig) => SimulatedLife

const annotationPrefix = 'life.simulated.skiff.dev/'

/**
 * The life that the pod's annotation `life.simulated.skiff.dev/<container>` says, as JSON; an empty one
 * (runs until stopped, ready at once) when there is none.
 */
export const lifeFromAnnotations: LifeOf = (container, sandbox) => {
  const text = sandbox.annotations[annotationPrefix + container.metadata.name]
  return text ? (JSON.parse(text) as SimulatedLife) : {}
}
