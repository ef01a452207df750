/** Claims and ingresses that name no class get the default one. */
import type { AnyObject } from '../../machinery/object.ts'
import type { V1Ingress, V1PersistentVolumeClaim } from '../../machinery/schema/generated/types.ts'
import type { AdmissionPlugin, ServerAccess } from '../contracts.ts'
import { draftOf, isWriteOf, refused } from './refuse.ts'

const marked = (object: AnyObject, annotations: string[]) => annotations.some((name) => object.metadata.annotations?.[name] === 'true')

const defaultStorageAnnotations = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class']

/** Of several defaults the newest counts, and of those the first by name. */
export function defaultStorageClassOf(classes: Iterable<AnyObject>): AnyObject | undefined {
  const newest = (a: AnyObject, b: AnyObject) =>
    b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp) || (a.metadata.name < b.metadata.name ? -1 : 1)
  return [...classes].filter((one) => marked(one, defaultStorageAnnotations)).sort(newest)[0]
}

export const defaultStorageClass = (server: ServerAccess): AdmissionPlugin => ({
  name: 'DefaultStorageClass',
  handles: (attributes) => attributes.verb === 'create' && isWriteOf(attributes, 'persistentvolumeclaims'),
  async mutate(attributes) {
    const { spec, metadata } = draftOf<V1PersistentVolumeClaim>(attributes)
    // The empty name is a choice: no class.
    if (!spec || spec.storageClassName !== undefined || metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] !== undefined) return
    const found = defaultStorageClassOf((await server.cached('storageclasses.storage.k8s.io')).list())
    if (found) spec.storageClassName = found.metadata.name
  },
})

export const defaultIngressClass = (server: ServerAccess): AdmissionPlugin => ({
  name: 'DefaultIngressClass',
  handles: (attributes) => attributes.verb === 'create' && isWriteOf(attributes, 'ingresses', 'networking.k8s.io'),
  async mutate(attributes) {
    const { spec, metadata } = draftOf<V1Ingress>(attributes)
    if (!spec || spec.ingressClassName !== undefined || metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined) return
    const classes = (await server.cached('ingressclasses.networking.k8s.io')).list()
    const defaults = [...classes].filter((one) => marked(one, ['ingressclass.kubernetes.io/is-default-class']))
    if (defaults.length > 1) throw refused(attributes, `${defaults.length} default IngressClasses were found, only 1 allowed`)
    if (defaults[0]) spec.ingressClassName = defaults[0].metadata.name
  },
})
