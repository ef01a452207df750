import type { ServerResponse } from 'node:http'
import type { Informer } from '../../client/informer.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import type { ContainerStatus } from '../../runtime/runtime.ts'
import { allContainers } from '../pod/identity.ts'
import { attemptsOf } from '../pod/pod-runtime.ts'
import type { PodServices } from '../pod/pod-services.ts'

export class HttpError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.name = 'HttpError'
    this.status = status
  }
}

export function answer(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }).end(body)
}

/** What a request is about: a pod and, but for port-forward, one of its containers. */
export interface Target {
  pod: V1Pod
  container: string | undefined
  /** Newest first. */
  attempts: ContainerStatus[]
  sandboxId: string | undefined
}

export function targetOf(pods: Informer<V1Pod>, { cache }: PodServices, namespace: string, name: string, container: string | undefined): Target {
  const pod = pods.get(`${namespace}/${name}`)
  if (!pod) throw new HttpError(404, `pod ${JSON.stringify(name)} not found`)
  if (container !== undefined && !allContainers(pod).some((one) => one.container.name === container))
    throw new HttpError(400, `container ${JSON.stringify(container)} not found in pod ${JSON.stringify(`${name}_${namespace}`)}`)
  const runtime = cache.get(pod.metadata.uid)
  return {
    pod,
    container,
    attempts: container === undefined ? [] : attemptsOf(runtime, container),
    sandboxId: runtime.sandboxes.find((sandbox) => sandbox.state === 'ready')?.id,
  }
}
