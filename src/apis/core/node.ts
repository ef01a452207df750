import { duplicate, type FieldError, forbiddenField, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import { isLabelValue } from '../../machinery/labels.ts'
import type { V1Node } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text, wide } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { validateQualifiedName } from '../label-validation.ts'
import { taintEffects } from '../pod-spec-validation/tolerations.ts'
import { canonicalAmounts } from '../resource-list.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'

const roleLabel = 'node-role.kubernetes.io/'

export const Node = defineResource<V1Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  model: 'V1Node',
  subresources: [{ name: 'proxy', kind: 'NodeProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] }, statusSubresource()],
  storagePrefix: 'minions',
  selectableFields: { 'spec.unschedulable': (node) => String(node.spec?.unschedulable ?? false) },
  columns: [
    nameColumn,
    text('Status', statusText),
    text('Roles', rolesText),
    ageColumn,
    text('Version', (node) => node.status?.nodeInfo?.kubeletVersion ?? ''),
    wide(text('Internal-IP', (node) => addressOf(node, 'InternalIP'))),
    wide(text('External-IP', (node) => addressOf(node, 'ExternalIP'))),
    wide(text('OS-Image', (node) => node.status?.nodeInfo?.osImage || '<unknown>')),
    wide(text('Kernel-Version', (node) => node.status?.nodeInfo?.kernelVersion || '<unknown>')),
    wide(text('Container-Runtime', (node) => node.status?.nodeInfo?.containerRuntimeVersion || '<unknown>')),
  ],
  applyDefaults(node) {
    node.spec ??= {}
    const status = node.status
    if (!status) return
    canonicalAmounts(status.capacity)
    canonicalAmounts(status.allocatable)
    if (status.capacity) status.allocatable ??= { ...status.capacity }
  },
  prepareForUpdate: keepStatus,
  validate: validateNode,
  validateUpdate(draft, stored) {
    const errors = validateNode(draft)
    for (const field of ['podCIDRs', 'providerID'] as const) {
      const before = stored.spec?.[field]
      const now = field === 'podCIDRs' ? podRanges(draft) : draft.spec?.[field]
      if (before?.length && JSON.stringify(now) !== JSON.stringify(before))
        errors.push(
          forbiddenField(
            `spec.${field}`,
            field === 'podCIDRs'
              ? 'node updates may not change podCIDR except from "" to valid'
              : 'node updates may not change providerID except from "" to valid',
          ),
        )
    }
    return errors
  },
})

/** The old field for one range goes before the new one for several. */
const podRanges = ({ spec }: V1Node) => (spec?.podCIDR && spec.podCIDRs?.[0] !== spec.podCIDR ? [spec.podCIDR] : spec?.podCIDRs)

const addressOf = (node: V1Node, type: string): string => node.status?.addresses?.find((one) => one.type === type)?.address ?? '<none>'

function statusText({ spec, status }: V1Node): string {
  const ready = status?.conditions?.find((one) => one.type === 'Ready')
  const words = [!ready ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady']
  if (spec?.unschedulable) words.push('SchedulingDisabled')
  return words.join(',')
}

function rolesText({ metadata: { labels = {} } }: V1Node): string {
  const roles = new Set<string>()
  for (const [key, value] of Object.entries(labels)) {
    if (key.startsWith(roleLabel) && key.length > roleLabel.length) roles.add(key.slice(roleLabel.length))
    else if (key === 'kubernetes.io/role' && value !== '') roles.add(value)
  }
  return [...roles].sort().join(',') || '<none>'
}

function validateNode({ spec }: V1Node): FieldError[] {
  const errors: FieldError[] = []
  const taken = new Set<string>()
  spec?.taints?.forEach((taint, index) => {
    const at = `spec.taints[${index}]`
    errors.push(...validateQualifiedName(taint.key ?? '', `${at}.key`))
    for (const message of isLabelValue(taint.value ?? '')) errors.push(invalidValue(`${at}.value`, taint.value ?? '', message))
    if (!taint.effect) errors.push(required(`${at}.effect`))
    else if (!taintEffects.includes(taint.effect)) errors.push(notSupported(`${at}.effect`, taint.effect, taintEffects))
    const key = `${taint.effect}/${taint.key}`
    if (taken.has(key)) errors.push(duplicate(at, taint))
    taken.add(key)
  })
  return errors
}
