/** Runs the admission plugins over a write, in their order, and tells how long each took. */
import type { Clock } from '../../machinery/clock.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../contracts.ts'
import type { RequestMetrics } from '../metrics/request-metrics.ts'

export interface AdmissionTimes {
  clock: Clock
  metrics: RequestMetrics
}

export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[]
  readonly #times: AdmissionTimes

  constructor(plugins: readonly AdmissionPlugin[], times: AdmissionTimes) {
    this.#plugins = plugins
    this.#times = times
  }

  mutate(attributes: AdmissionAttributes): Promise<void> {
    return this.#run('admit', attributes)
  }

  validate(attributes: AdmissionAttributes): Promise<void> {
    return this.#run('validate', attributes)
  }

  async #run(type: 'admit' | 'validate', attributes: AdmissionAttributes): Promise<void> {
    const { clock, metrics } = this.#times
    const operation = attributes.verb.toUpperCase()
    const begun = clock.monotonic()
    let refused = true
    try {
      await this.#each(type, operation, attributes)
      refused = false
    } finally {
      metrics.admissionStep(operation, type, refused, (clock.monotonic() - begun) / 1000)
    }
  }

  async #each(type: 'admit' | 'validate', operation: string, attributes: AdmissionAttributes): Promise<void> {
    const { clock, metrics } = this.#times
    for (const plugin of this.#plugins) {
      const step = type === 'admit' ? plugin.mutate : plugin.validate
      if (!step || plugin.handles?.(attributes) === false) continue
      const start = clock.monotonic()
      let rejected = true
      try {
        const done = step.call(plugin, attributes)
        if (done) await done
        rejected = false
      } finally {
        metrics.admitted(plugin.name, operation, type, rejected, (clock.monotonic() - start) / 1000)
      }
    }
  }
}
