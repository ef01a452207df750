/** Which names of a definition count: those that no other definition of its group has taken before. */
import { timestamp } from '../../machinery/clock.ts'
import { equal } from '../../machinery/patch/json-value.ts'
import type {
  V1CustomResourceDefinition,
  V1CustomResourceDefinitionCondition,
  V1CustomResourceDefinitionNames,
  V1CustomResourceDefinitionStatus,
} from '../../machinery/schema/generated/types.ts'

type Definition = V1CustomResourceDefinition
type Condition = V1CustomResourceDefinitionCondition

interface Taken {
  resources: Set<string>
  kinds: Set<string>
}

function takenBy(others: readonly Definition[]): Taken {
  const resources = new Set<string>()
  const kinds = new Set<string>()
  for (const { status } of others) {
    const { plural, singular, shortNames = [], kind, listKind } = status?.acceptedNames ?? {}
    for (const name of [plural, singular, ...shortNames]) if (name) resources.add(name)
    for (const name of [kind, listKind]) if (name) kinds.add(name)
  }
  return { resources, kinds }
}

const inUse = (name: string) => `${JSON.stringify(name)} is already in use`

/** `others` are of the same group. */
function acceptNames({ spec, status }: Definition, others: readonly Definition[]): { names: V1CustomResourceDefinitionNames; refusal?: [string, string] } {
  const taken = takenBy(others)
  const wanted = spec.names
  const names = { ...(status?.acceptedNames ?? { kind: '', plural: '' }) }
  let refusal: [string, string] | undefined
  const consider = (field: 'plural' | 'singular' | 'kind' | 'listKind', used: Set<string>, reason: string) => {
    const name = wanted[field] ?? ''
    if (name !== names[field] && used.has(name)) refusal = [reason, inUse(name)]
    else names[field] = name
  }
  consider('plural', taken.resources, 'PluralConflict')
  consider('singular', taken.resources, 'SingularConflict')
  const clashing = (wanted.shortNames ?? []).filter((name) => !names.shortNames?.includes(name) && taken.resources.has(name)).map(inUse)
  if (clashing.length > 0) refusal = ['ShortNamesConflict', clashing.length === 1 ? (clashing[0] ?? '') : `[${clashing.join(', ')}]`]
  else if (wanted.shortNames) names.shortNames = wanted.shortNames
  else delete names.shortNames
  consider('kind', taken.kinds, 'KindConflict')
  consider('listKind', taken.kinds, 'ListKindConflict')
  if (wanted.categories) names.categories = wanted.categories
  else delete names.categories
  return { names, ...(refusal ? { refusal } : {}) }
}

/** The status that the definition should have; the very one it has when nothing changes. */
export function statusWithNames(definition: Definition, others: readonly Definition[], now: number): V1CustomResourceDefinitionStatus {
  const { names, refusal } = acceptNames(definition, others)
  const before = definition.status ?? {}
  const established = before.conditions?.find((one) => one.type === 'Established')?.status === 'True'
  const accepted: Condition = refusal
    ? { type: 'NamesAccepted', status: 'False', reason: refusal[0], message: refusal[1] }
    : { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
  let conditions = withCondition(before.conditions ?? [], accepted, now)
  if (!established)
    conditions = withCondition(
      conditions,
      refusal
        ? { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
        : { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' },
      now,
    )
  const status = { ...before, acceptedNames: names, conditions }
  return equal(status, before) ? before : status
}

/** Of its kind the condition that stands when nothing of it but its time would change. */
export function withCondition(conditions: readonly Condition[], wanted: Condition, now: number): Condition[] {
  const stored = conditions.find((one) => one.type === wanted.type)
  if (stored && stored.status === wanted.status && stored.reason === wanted.reason && stored.message === wanted.message) return [...conditions]
  const lastTransitionTime = stored?.status === wanted.status && stored.lastTransitionTime ? stored.lastTransitionTime : timestamp(now)
  const made = { lastTransitionTime, ...wanted }
  return stored ? conditions.map((one) => (one === stored ? made : one)) : [...conditions, made]
}

export const isEstablished = ({ status }: Definition): boolean =>
  status?.conditions?.some((one) => one.type === 'Established' && one.status === 'True') === true
