/** What a pod's runtime class costs and where it runs become part of the pod. */
import { isDeepStrictEqual } from 'node:util'
import type { V1Pod, V1RuntimeClass } from '../../machinery/schema/generated/types.ts'
import type { AdmissionPlugin, ServerAccess } from '../contracts.ts'
import { draftOf, isWriteOf, refused } from './refuse.ts'

export const runtimeClass = (server: ServerAccess): AdmissionPlugin => ({
  name: 'RuntimeClass',
  handles: (attributes) => attributes.verb === 'create' && isWriteOf(attributes, 'pods'),
  async mutate(attributes) {
    const { spec } = draftOf<V1Pod>(attributes)
    if (!spec) return
    const name = spec.runtimeClassName
    if (!name) {
      if (spec.overhead && Object.keys(spec.overhead).length > 0)
        throw refused(attributes, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
      return
    }
    const found = (await server.cached('runtimeclasses.node.k8s.io')).get('', name) as V1RuntimeClass | undefined
    if (!found) throw refused(attributes, `pod rejected: RuntimeClass "${name}" not found`)
    const overhead = found.overhead?.podFixed
    if (overhead) {
      if (spec.overhead && !isDeepStrictEqual(spec.overhead, overhead))
        throw refused(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
      spec.overhead = { ...overhead }
    }
    for (const [key, value] of Object.entries(found.scheduling?.nodeSelector ?? {})) {
      if ((spec.nodeSelector?.[key] ?? value) !== value)
        throw refused(
          attributes,
          `pod rejected: conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${spec.nodeSelector?.[key]}`,
        )
      spec.nodeSelector = { ...spec.nodeSelector, [key]: value }
    }
    for (const toleration of found.scheduling?.tolerations ?? [])
      if (!spec.tolerations?.some((one) => isDeepStrictEqual(one, toleration))) spec.tolerations = [...(spec.tolerations ?? []), { ...toleration }]
  },
})
