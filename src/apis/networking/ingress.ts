import { isIP } from 'node:net'
import { type FieldError, invalidValue, required } from '../../machinery/field-error.ts'
import { isDnsSubdomain } from '../../machinery/names.ts'
import type { V1Ingress, V1IngressRule } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { isWildcardSubdomain } from '../formats.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'
import { validateBackend, validatePath } from './ingress-path-validation.ts'

const classAnnotation = 'kubernetes.io/ingress.class'

export const Ingress = defineResource<V1Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  shortNames: ['ing'],
  namespaced: true,
  model: 'V1Ingress',
  subresources: [statusSubresource()],
  storagePrefix: 'ingress',
  generation: true,
  columns: [
    nameColumn,
    text('Class', ({ metadata, spec }) => spec.ingressClassName ?? metadata.annotations?.[classAnnotation] ?? '<none>'),
    text('Hosts', hostsText),
    text('Address', ({ status }) =>
      (status?.loadBalancer?.ingress ?? [])
        .map((one) => one.ip || one.hostname || '')
        .filter(Boolean)
        .join(','),
    ),
    text('Ports', ({ spec }) => (spec.tls?.length ? '80, 443' : '80')),
    ageColumn,
  ],
  applyDefaults(ingress) {
    ingress.spec ??= {}
  },
  prepareForCreate(ingress) {
    ingress.status = { loadBalancer: {} }
  },
  prepareForUpdate: keepStatus,
  validate(ingress) {
    const errors = validateIngress(ingress)
    const annotated = ingress.metadata.annotations?.[classAnnotation]
    if (annotated && ingress.spec.ingressClassName !== undefined)
      errors.push(invalidValue('metadata.annotations[kubernetes.io/ingress.class]', annotated, 'can not be set when the class field is also set'))
    return errors
  },
  validateUpdate: validateIngress,
  warnings({ metadata }) {
    return metadata.annotations?.[classAnnotation] === undefined
      ? []
      : [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`]
  },
})

function hostsText({ spec }: V1Ingress): string {
  const hosts = (spec.rules ?? []).map((rule) => rule.host ?? '').filter(Boolean)
  if (hosts.length === 0) return '*'
  return hosts.length > 3 ? `${hosts.slice(0, 3).join(',')} + ${hosts.length - 3} more...` : hosts.join(',')
}

function validateIngress({ spec }: V1Ingress): FieldError[] {
  const errors: FieldError[] = []
  if (spec.defaultBackend) errors.push(...validateBackend(spec.defaultBackend, 'spec.defaultBackend'))
  else if (!spec.rules?.length) errors.push(invalidValue('spec', spec, 'either `defaultBackend` or `rules` must be specified'))
  spec.rules?.forEach((rule, index) => {
    errors.push(...validateRule(rule, `spec.rules[${index}]`))
  })
  spec.tls?.forEach(({ hosts = [], secretName }, index) => {
    hosts.forEach((host, position) => {
      errors.push(...validateHost(host, `spec.tls[${index}].hosts[${position}]`))
    })
    if (secretName) for (const message of isDnsSubdomain(secretName)) errors.push(invalidValue(`spec.tls[${index}].secretName`, secretName, message))
  })
  if (spec.ingressClassName !== undefined)
    for (const message of isDnsSubdomain(spec.ingressClassName)) errors.push(invalidValue('spec.ingressClassName', spec.ingressClassName, message))
  return errors
}

function validateRule({ host, http }: V1IngressRule, at: string): FieldError[] {
  const errors = host ? validateHost(host, `${at}.host`) : []
  if (host && isIP(host)) errors.push(invalidValue(`${at}.host`, host, 'must be a DNS name, not an IP address'))
  if (!http) return errors
  if (!http.paths?.length) errors.push(required(`${at}.http.paths`))
  http.paths?.forEach((path, index) => {
    errors.push(...validatePath(path, `${at}.http.paths[${index}]`))
  })
  return errors
}

const validateHost = (host: string, at: string): FieldError[] =>
  (host.includes('*') ? isWildcardSubdomain(host) : isDnsSubdomain(host)).map((message) => invalidValue(at, host, message))
