/** Events of the autoscaler, under upstream's names: on pods, on nodes, and on its ConfigMap; of a pool on the pool too. */
import type { Client } from '../client/client.ts'
import type { ComponentContext } from '../client/component.ts'
import { createEventRecorder, type EventRecorder } from '../client/event-recorder.ts'
import type { V1Pod } from '../machinery/schema/generated/types.ts'
import type { NodePool } from './node-pool.ts'
import type { Share } from './scale-up/similar-pools.ts'
import { statusConfigMap } from './status.ts'

/** The same is said again of a pod after so long. */
const repeatMs = 5 * 60_000

export class Announcements {
  readonly recorder: EventRecorder
  readonly #clock
  /** What was last said of each pod that no pool helps, by uid. */
  readonly #helpless = new Map<string, { message: string; at: number }>()

  constructor({ client, clock, log }: ComponentContext) {
    this.#clock = clock
    this.recorder = createEventRecorder({ client, clock, log, component: 'cluster-autoscaler' })
  }

  ofPool(pool: NodePool, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.ofAll(type, reason, message)
    const { name, uid, resourceVersion } = pool.metadata
    this.recorder.event({ apiVersion: 'skiff.dev/v1', kind: 'NodePool', name, uid, resourceVersion }, type, reason, message)
  }

  ofAll(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.recorder.event({ apiVersion: 'v1', kind: 'ConfigMap', ...statusConfigMap }, type, reason, message)
  }

  triggered(pods: readonly V1Pod[], client: Client, shares: readonly Share[]): void {
    const what = shares.map(({ state: { name, targetSize, pool }, nodes }) => `{${name} ${targetSize}->${targetSize + nodes} (max: ${pool.spec.maxSize})}`)
    for (const pod of pods) {
      this.#helpless.delete(pod.metadata.uid)
      this.recorder.event(pod, 'Normal', 'TriggeredScaleUp', `pod triggered scale-up: [${what.join(' ')}]`, { client })
    }
  }

  helpless(all: readonly { pod: V1Pod; reasons: string[] }[]): void {
    const now = this.#clock.monotonic()
    const uids = new Set(all.map(({ pod }) => pod.metadata.uid))
    for (const uid of this.#helpless.keys()) if (!uids.has(uid)) this.#helpless.delete(uid)
    for (const { pod, reasons } of all) {
      const counts = new Map<string, number>()
      for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
      const message = `pod didn't trigger scale-up: ${[...counts]
        .map(([reason, count]) => `${count} ${reason}`)
        .sort()
        .join(', ')}`
      const last = this.#helpless.get(pod.metadata.uid)
      if (last?.message === message && now - last.at < repeatMs) continue
      this.#helpless.set(pod.metadata.uid, { message, at: now })
      this.recorder.event(pod, 'Normal', 'NotTriggerScaleUp', message)
    }
  }
}
