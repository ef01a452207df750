/** What a measure is: it uses a cluster in one way for a bounded time, and tells numbers. */
import type { BenchCluster } from './bench-cluster.ts'

/** One row of the table. */
export interface Result {
  what: string
  value: number
  unit: string
  /** How it was measured, in a few words. */
  how: string
  /** What is aimed at, where the project has set a goal. */
  goal?: { atMost: number } | { atLeast: number }
}

export interface Measure {
  name: string
  summary: string
  /** What it needs: any cluster that a kubeconfig leads to, or `skiff` itself, which it starts as it wants. */
  needs: 'cluster' | 'skiff'
  /** Takes minutes: only when it is named, or the results are written down. */
  long?: true
}

export interface ClusterMeasure extends Measure {
  needs: 'cluster'
  run(cluster: BenchCluster): Promise<Result[]>
}

export interface SkiffMeasure extends Measure {
  needs: 'skiff'
  run(): Promise<Result[]>
}

export type AnyMeasure = ClusterMeasure | SkiffMeasure

/** The measure could not be made here; the report says why in the place of a number. */
export class CannotMeasure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'CannotMeasure'
  }
}

export function meets({ value, goal }: Result): boolean | undefined {
  if (!goal) return undefined
  return 'atMost' in goal ? value <= goal.atMost : value >= goal.atLeast
}
