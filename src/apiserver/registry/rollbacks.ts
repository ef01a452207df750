/** Undoes, last first, what hooks did for a write that did not happen. */
import type { Rollback } from '../contracts.ts'

export class Rollbacks {
  #steps: Rollback[] = []

  add(step: Rollback | undefined): void {
    if (step) this.#steps.push(step)
  }

  async undo(): Promise<void> {
    const steps = this.#steps.reverse()
    this.#steps = []
    for (const step of steps) await step()
  }
}
