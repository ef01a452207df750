import type { Clock, Timer } from '../../machinery/clock.ts'
import type { V1Probe } from '../../machinery/schema/generated/types.ts'
import type { ProbeResult } from './probe.ts'

export type ProbeKind = 'startup' | 'readiness' | 'liveness'

export interface ProbeWorkerOptions {
  kind: ProbeKind
  probe: V1Probe
  clock: Clock
  /** Milliseconds since the epoch. */
  containerStartedAt: number
  /** What was known of this container before, if this kubelet did not start it. */
  initial: boolean | undefined
  /** Undefined: there was nobody to ask any more. */
  run(): Promise<ProbeResult | undefined>
  /** Whether it may run now: readiness and liveness wait for the startup probe. */
  mayRun(): boolean
  onChange(): void
  onFailure(result: ProbeResult): void
}

/** One probe of one container, from its start to its end. Its verdict changes after as many equal results as the probe says. */
export class ProbeWorker {
  readonly #options: ProbeWorkerOptions
  #verdict: boolean | undefined
  #last: ProbeResult['result'] | undefined
  #count = 0
  #timer: Timer | undefined
  #stopped = false

  constructor(options: ProbeWorkerOptions) {
    this.#options = options
    this.#verdict = options.initial
    const { clock, containerStartedAt, probe } = options
    const firstAt = containerStartedAt + (probe.initialDelaySeconds ?? 0) * 1000
    this.#timer = clock.after(Math.max(0, firstAt - clock.now()), () => void this.#tick())
  }

  /** `undefined` until enough results came. */
  get verdict(): boolean | undefined {
    return this.#verdict
  }

  get kind(): ProbeKind {
    return this.#options.kind
  }

  /** Runs at the next moment instead of after the period: what it waited for has come. */
  hurry(): void {
    if (this.#stopped) return
    const { clock, containerStartedAt, probe } = this.#options
    this.#timer?.cancel()
    const firstAt = containerStartedAt + (probe.initialDelaySeconds ?? 0) * 1000
    this.#timer = clock.after(Math.max(0, firstAt - clock.now()), () => void this.#tick())
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  async #tick(): Promise<void> {
    const { clock, probe, mayRun, run } = this.#options
    const due = clock.monotonic() + (probe.periodSeconds ?? 10) * 1000
    if (mayRun()) {
      const result = await run()
      if (this.#stopped) return
      if (result) this.#judge(result)
    }
    if (this.#stopped) return
    this.#timer?.cancel()
    this.#timer = clock.after(Math.max(0, due - clock.monotonic()), () => void this.#tick())
  }

  #judge(result: ProbeResult): void {
    const { kind, probe, onChange, onFailure } = this.#options
    if (result.result !== 'success') onFailure(result)
    if (result.result === 'unknown') return
    this.#count = result.result === this.#last ? this.#count + 1 : 1
    this.#last = result.result
    const threshold = result.result === 'success' ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3)
    if (this.#count < threshold) return
    const verdict = result.result === 'success'
    if (verdict === this.#verdict) return
    this.#verdict = verdict
    // After these the container is not asked again: it has started, or it must end.
    if (kind === 'startup' || (kind === 'liveness' && !verdict)) this.stop()
    onChange()
  }
}
