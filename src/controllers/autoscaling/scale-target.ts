/** What an autoscaler scales: any resource with a scale subresource, found by its kind. */
import type { Client, ResourceRef } from '../../client/client.ts'
import { discover } from '../../client/discovery.ts'
import { Deployment, ReplicaSet, ReplicationController, StatefulSet } from '../../client/resources.ts'
import type { V1Scale } from '../../machinery/schema/generated/types.ts'

export interface KindRef {
  apiVersion?: string
  kind: string
}

const known: readonly ResourceRef[] = [Deployment, ReplicaSet, StatefulSet, ReplicationController].map((one) => one as unknown as ResourceRef)
/** A kind that was not there is looked for again after this long. */
const forgetMs = 30_000

export class ScaleTargets {
  #found: { at: number; resources: readonly ResourceRef[] } | undefined

  /** Throws when nothing of that kind is served. */
  async resourceOf(client: Client, { apiVersion = '', kind }: KindRef, now: number): Promise<ResourceRef> {
    const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
    if (apiVersion.split('/').length > 2) throw new Error(`invalid API version in scale target reference: unexpected GroupVersion string: ${apiVersion}`)
    const matches = (one: ResourceRef) => one.kind === kind && one.group === group
    const found = known.find(matches) ?? this.#found?.resources.find(matches)
    if (found) return found
    if (!this.#found || this.#found.at + forgetMs < now) {
      this.#found = { at: now, resources: (await discover(client)).resources as unknown as ResourceRef[] }
      const discovered = this.#found.resources.find(matches)
      if (discovered) return discovered
    }
    throw new Error(`no matches for kind "${kind}" in version "${group ? `${group}/${version}` : version}"`)
  }

  static scale(client: Client, resource: ResourceRef, namespace: string, name: string): Promise<V1Scale> {
    return client.subresource<V1Scale>(resource, { namespace, name }, 'scale', 'get')
  }
}
