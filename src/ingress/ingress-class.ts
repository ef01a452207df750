import type { New } from '../machinery/object.ts'
import type { V1Ingress, V1IngressClass } from '../machinery/schema/generated/types.ts'

export const controllerName = 'k8s.io/ingress-nginx'
const defaultAnnotation = 'ingressclass.kubernetes.io/is-default-class'

/** Whether this controller serves the Ingress: by its class, by the old annotation, or as the default. */
export function isOurs({ metadata, spec }: V1Ingress, classes: readonly V1IngressClass[]): boolean {
  const ours = classes.filter((candidate) => candidate.spec.controller === controllerName)
  const annotated = metadata.annotations?.['kubernetes.io/ingress.class']
  if (annotated !== undefined) return annotated === 'nginx' || ours.some((candidate) => candidate.metadata.name === annotated)
  if (spec.ingressClassName) return ours.some((candidate) => candidate.metadata.name === spec.ingressClassName)
  return ours.some((candidate) => candidate.metadata.annotations?.[defaultAnnotation] === 'true')
}

/** The class that a cluster starts with. */
export function nginxIngressClass(): New<V1IngressClass> {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'nginx', labels: { 'app.kubernetes.io/name': 'ingress-nginx' }, annotations: { [defaultAnnotation]: 'true' } },
    spec: { controller: controllerName },
  }
}
