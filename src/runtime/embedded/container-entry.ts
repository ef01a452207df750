import type { Timer } from '../../machinery/clock.ts'
import type { ContainerRecord } from './records.ts'

/** A container as this process knows it. */
export class ContainerEntry {
  readonly record: ContainerRecord
  /** Resolves when the container has ended and what it used was given back. */
  readonly ended: PromiseWithResolvers<void> = Promise.withResolvers()
  starting?: Promise<void>
  finishing?: Promise<void>
  /** A stop that is under way: when it kills. */
  stop?: { deadline: number; timer: Timer }

  constructor(record: ContainerRecord) {
    this.record = record
  }
}
