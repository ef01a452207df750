import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import type { PodServices } from './pod-services.ts'
import { PodWorker } from './pod-worker.ts'

/** The workers of all pods of this node, by uid. */
export class PodWorkers {
  readonly #services: PodServices
  readonly #workers = new Map<string, PodWorker>()
  #stopped = false

  constructor(services: PodServices) {
    this.#services = services
  }

  has(uid: string): boolean {
    return this.#workers.has(uid)
  }

  get(uid: string): PodWorker | undefined {
    return this.#workers.get(uid)
  }

  update(pod: V1Pod, revision: number): void {
    if (this.#stopped) return
    const { uid } = pod.metadata
    this.#services.statuses.shown(pod)
    const known = this.#workers.get(uid)
    if (known) return known.update(pod, revision)
    const worker = new PodWorker(pod, this.#services, () => this.#gone(uid))
    this.#workers.set(uid, worker)
    worker.update(pod, revision)
  }

  remove(uid: string): void {
    this.#workers.get(uid)?.remove()
  }

  wake(uid: string): void {
    this.#workers.get(uid)?.wake()
  }

  all(): PodWorker[] {
    return [...this.#workers.values()]
  }

  /** Pods that take up room on the node, but for the one that asks for it. */
  admittedPods(except: string): V1Pod[] {
    return this.all()
      .filter((worker) => worker.admitted && worker.pod.metadata.uid !== except)
      .map((worker) => worker.allocated)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.all().map((worker) => worker.stop()))
  }

  /** Its object is gone and nothing of it runs: what the runtime and the disk keep of it goes too. */
  #gone(uid: string): void {
    const worker = this.#workers.get(uid)
    if (!worker) return
    this.#workers.delete(uid)
    const { statuses, log } = this.#services
    statuses.forget(uid)
    removeTraces(this.#services, { uid, namespace: worker.pod.metadata.namespace, name: worker.pod.metadata.name }).catch((error: unknown) =>
      log.warn('what is left of a pod is not removed yet', { pod: worker.pod.metadata.name, error }),
    )
  }
}

/** Sandboxes with their containers, and logs. Idempotent. */
export async function removeTraces({ cache, runtime, files, directories }: PodServices, pod: { uid: string; namespace: string; name: string }): Promise<void> {
  for (const sandbox of (await cache.refresh(pod.uid)).sandboxes) await runtime.removePodSandbox(sandbox.id)
  await cache.refresh(pod.uid)
  await files.remove(directories.podLogs(pod))
}
