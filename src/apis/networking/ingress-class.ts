import { type FieldError, forbiddenField, invalidValue, notSupported, required, tooLong } from '../../machinery/field-error.ts'
import { isDnsSubdomain } from '../../machinery/names.ts'
import type { V1IngressClass } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { immutable } from '../immutable.ts'

export const IngressClass = defineResource<V1IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  namespaced: false,
  model: 'V1IngressClass',
  generation: true,
  columns: [
    nameColumn,
    text('Controller', (ingressClass) => ingressClass.spec.controller ?? ''),
    text('Parameters', ({ spec: { parameters } }) =>
      parameters ? `${parameters.kind}${parameters.apiGroup ? `.${parameters.apiGroup}` : ''}/${parameters.name}` : '<none>',
    ),
    ageColumn,
  ],
  applyDefaults(ingressClass) {
    ingressClass.spec ??= {}
    if (ingressClass.spec.parameters) ingressClass.spec.parameters.scope ??= 'Cluster'
  },
  validate: validateClass,
  validateUpdate: (draft, stored) => [...immutable('spec.controller', draft.spec.controller, stored.spec.controller), ...validateClass(draft)],
})

function validateClass({ spec: { controller = '', parameters } }: V1IngressClass): FieldError[] {
  const errors: FieldError[] = []
  const at = 'spec.controller'
  if (controller.length > 250) errors.push(tooLong(at, 250))
  const slash = controller.indexOf('/')
  if (controller === '') errors.push(required(at))
  else if (slash < 0 || slash === controller.length - 1) errors.push(invalidValue(at, controller, 'must be a domain-prefixed path (such as "acme.io/foo")'))
  else for (const message of isDnsSubdomain(controller.slice(0, slash))) errors.push(invalidValue(at, controller.slice(0, slash), message))
  if (!parameters) return errors
  for (const field of ['kind', 'name'] as const) if (!parameters[field]) errors.push(required(`spec.parameters.${field}`))
  if (parameters.scope === 'Namespace') {
    if (!parameters.namespace) errors.push(required('spec.parameters.namespace', "`parameters.scope` is set to 'Namespace'"))
  } else if (parameters.scope === 'Cluster') {
    if (parameters.namespace !== undefined) errors.push(forbiddenField('spec.parameters.namespace', "`parameters.scope` is set to 'Cluster'"))
  } else errors.push(notSupported('spec.parameters.scope', parameters.scope ?? '', ['Cluster', 'Namespace']))
  return errors
}
