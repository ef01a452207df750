/** What mutating and validating webhooks have in common. */
import { duplicate, type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import type { V1MutatingWebhook, V1RuleWithOperations, V1ValidatingWebhook } from '../../machinery/schema/generated/types.ts'
import { validateQualifiedName } from '../label-validation.ts'
import { validateLabelSelector } from '../selector-validation.ts'

type Webhook = V1MutatingWebhook | V1ValidatingWebhook

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const sideEffects = ['None', 'NoneOnDryRun']

export function webhookDefaults(webhook: Webhook): void {
  webhook.failurePolicy ??= 'Fail'
  webhook.matchPolicy ??= 'Equivalent'
  webhook.namespaceSelector ??= {}
  webhook.objectSelector ??= {}
  webhook.timeoutSeconds ??= 10
  if (webhook.clientConfig?.service) webhook.clientConfig.service.port ??= 443
  for (const rule of webhook.rules ?? []) rule.scope ??= '*'
}

export function validateWebhooks(webhooks: readonly Webhook[] | undefined): FieldError[] {
  const errors: FieldError[] = []
  const names = new Set<string>()
  webhooks?.forEach((webhook, index) => {
    const at = `webhooks[${index}]`
    errors.push(...validateWebhook(webhook, at))
    if (webhook.name && names.has(webhook.name)) errors.push(duplicate(`${at}.name`, webhook.name))
    names.add(webhook.name)
  })
  return errors
}

function validateWebhook(webhook: Webhook, at: string): FieldError[] {
  const errors = validateWebhookName(webhook.name ?? '', `${at}.name`)
  webhook.rules?.forEach((rule, index) => {
    errors.push(...validateRule(rule, `${at}.rules[${index}]`))
  })
  for (const [field, value, supported] of [
    ['failurePolicy', webhook.failurePolicy, ['Fail', 'Ignore']],
    ['matchPolicy', webhook.matchPolicy, ['Equivalent', 'Exact']],
  ] as const)
    if (value !== undefined && !(supported as readonly string[]).includes(value)) errors.push(notSupported(`${at}.${field}`, value, supported))
  if (!webhook.sideEffects) errors.push(required(`${at}.sideEffects`, 'must specify one of None, NoneOnDryRun'))
  else if (!sideEffects.includes(webhook.sideEffects)) errors.push(notSupported(`${at}.sideEffects`, webhook.sideEffects, sideEffects))
  const timeout = webhook.timeoutSeconds
  if (timeout !== undefined && (timeout > 30 || timeout < 1))
    errors.push(invalidValue(`${at}.timeoutSeconds`, timeout, 'the timeout value must be between 1 and 30 seconds'))
  errors.push(
    ...validateLabelSelector(webhook.namespaceSelector, `${at}.namespaceSelector`),
    ...validateLabelSelector(webhook.objectSelector, `${at}.objectSelector`),
  )
  const versions = webhook.admissionReviewVersions ?? []
  if (versions.length === 0) errors.push(required(`${at}.admissionReviewVersions`, 'must specify one of v1, v1beta1'))
  else if (!versions.some((version) => version === 'v1' || version === 'v1beta1'))
    errors.push(invalidValue(`${at}.admissionReviewVersions`, versions, 'must include at least one of v1, v1beta1'))
  return [...errors, ...validateClientConfig(webhook.clientConfig ?? {}, `${at}.clientConfig`)]
}

/** A name in a domain of three labels at least: `deny.example.com`. */
function validateWebhookName(name: string, at: string): FieldError[] {
  if (name === '') return [required(at)]
  const errors = validateQualifiedName(name, at)
  if (errors.length === 0 && name.split('.').length < 3)
    errors.push(invalidValue(at, name, 'should be a domain with at least three segments separated by dots'))
  return errors
}

function validateClientConfig({ url, service }: Webhook['clientConfig'], at: string): FieldError[] {
  if ((url === undefined) === (service === undefined)) return [required(at, 'exactly one of url or service is required')]
  if (url !== undefined) {
    if (!URL.canParse(url)) return [invalidValue(`${at}.url`, url, 'url must be a valid URL')]
    return new URL(url).protocol === 'https:'
      ? []
      : [invalidValue(`${at}.url`, url, `'https' is the only allowed URL scheme; desired format: https://host[/path]`)]
  }
  return (['name', 'namespace'] as const)
    .filter((field) => !service?.[field])
    .map((field) => required(`${at}.service.${field}`, `service ${field} is required`))
}

export function validateRule(rule: V1RuleWithOperations, at: string): FieldError[] {
  const errors: FieldError[] = []
  for (const field of ['apiGroups', 'apiVersions', 'resources', 'operations'] as const) {
    const values = rule[field] ?? []
    if (values.length === 0) errors.push(required(`${at}.${field}`))
    if (values.length > 1 && values.includes('*'))
      errors.push(invalidValue(`${at}.${field}`, values, `if '*' is present, must not specify other ${wordsFor[field]}`))
  }
  rule.operations?.forEach((operation, index) => {
    if (!operations.includes(operation)) errors.push(notSupported(`${at}.operations[${index}]`, operation, operations))
  })
  if (rule.scope !== undefined && !['*', 'Cluster', 'Namespaced'].includes(rule.scope))
    errors.push(notSupported(`${at}.scope`, rule.scope, ['*', 'Cluster', 'Namespaced']))
  return errors
}

const wordsFor = { apiGroups: 'API groups', apiVersions: 'API versions', resources: 'resources', operations: 'operations' } as const
