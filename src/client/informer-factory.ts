import type { Clock } from '../machinery/clock.ts'
import type { KubeObject } from '../machinery/object.ts'
import { CachedInformer } from './cached-informer.ts'
import type { Client, ResourceRef } from './client.ts'
import type { Logger } from './component.ts'
import type { Informer, InformerFactory } from './informer.ts'
import { apiVersionOf } from './resource-path.ts'

/** {@link InformerFactory}: an informer starts when it is first asked for, and all end with `stop`. */
export function createInformerFactory({ client, clock, log }: { client: Client; clock: Clock; log: Logger }): InformerFactory {
  const stopped = new AbortController()
  const informers = new Map<string, Informer>()
  return {
    informer<T extends KubeObject>(resource: ResourceRef<T>, selection: { namespace?: string; labelSelector?: string; fieldSelector?: string } = {}) {
      const { namespace, labelSelector, fieldSelector } = selection
      const id = JSON.stringify([apiVersionOf(resource), resource.plural, namespace, labelSelector, fieldSelector])
      const known = informers.get(id)
      // The id names the resource, and with it the type.
      if (known) return known as unknown as Informer<T>
      const informer = new CachedInformer<T>({ client, resource, selection, clock, log })
      informers.set(id, informer as unknown as Informer)
      void informer.run(stopped.signal)
      return informer
    },
    async whenSynced(signal) {
      await Promise.all([...informers.values()].map((informer) => informer.whenSynced(signal)))
    },
    stop: () => stopped.abort(new Error('the informers were stopped')),
  }
}
