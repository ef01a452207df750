/** PartialObjectMetadata and its list: objects without all but their metadata. */
import type { AnyObject, ObjectList } from '../../machinery/object.ts'

export function partialMetadata(object: AnyObject, version = 'v1'): AnyObject {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata }
}

export function partialMetadataList(list: ObjectList<AnyObject>, version = 'v1') {
  return {
    kind: 'PartialObjectMetadataList',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: list.metadata,
    items: list.items.map((item) => partialMetadata(item, version)),
  }
}
