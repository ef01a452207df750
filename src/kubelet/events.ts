import type { EventRecorder } from '../client/event-recorder.ts'
import type { V1Container, V1Pod } from '../machinery/schema/generated/types.ts'
import { allContainers } from './pod/identity.ts'

/** Records what the kubelet tells of pods, their containers and the node; reasons and messages are upstream's. */
export class KubeletEvents {
  readonly #recorder: EventRecorder
  readonly #nodeName: string

  constructor(recorder: EventRecorder, nodeName: string) {
    this.#recorder = recorder
    this.#nodeName = nodeName
  }

  pod(pod: V1Pod, type: 'Normal' | 'Warning', reason: string, message: string, annotations?: Record<string, string>): void {
    this.#recorder.event({ ...pod, apiVersion: 'v1', kind: 'Pod' }, type, reason, message, annotations ? { annotations } : {})
  }

  container(pod: V1Pod, container: V1Container, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const fieldPath = allContainers(pod).find((one) => one.container.name === container.name)?.fieldPath
    this.#recorder.event({ ...pod, apiVersion: 'v1', kind: 'Pod' }, type, reason, message, fieldPath ? { fieldPath } : {})
  }

  /** Events of a node carry its name as uid, as upstream's do. */
  node(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#recorder.event({ kind: 'Node', apiVersion: 'v1', name: this.#nodeName, uid: this.#nodeName }, type, reason, message)
  }
}
