/** Runs the admission plugins over a write, in their order. */
import type { AdmissionAttributes, AdmissionPlugin } from '../contracts.ts'

export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[]

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins
  }

  async mutate(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.#plugins) {
      if (!plugin.mutate || plugin.handles?.(attributes) === false) continue
      const done = plugin.mutate(attributes)
      if (done) await done
    }
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.#plugins) {
      if (!plugin.validate || plugin.handles?.(attributes) === false) continue
      const done = plugin.validate(attributes)
      if (done) await done
    }
  }
}
