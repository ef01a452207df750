/** The priority of a pod comes from its class, or from the default one. */
import type { V1Pod, V1PriorityClass } from '../../machinery/schema/generated/types.ts'
import type { AdmissionAttributes, AdmissionPlugin, ServerAccess } from '../contracts.ts'
import { draftOf, isWriteOf, refused } from './refuse.ts'

const group = 'scheduling.k8s.io'
const preempting = 'PreemptLowerPriority'

export function priority(server: ServerAccess): AdmissionPlugin {
  const classes = async () => await server.cached(`priorityclasses.${group}`)

  /** Of several defaults the one with the smallest value counts. */
  async function defaultClass(): Promise<V1PriorityClass | undefined> {
    const defaults = [...(await classes()).list()].map((one) => one as unknown as V1PriorityClass).filter((one) => one.globalDefault)
    return defaults.sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0]
  }

  async function admitPod(attributes: AdmissionAttributes): Promise<void> {
    const { spec } = draftOf<V1Pod>(attributes)
    if (!spec) return
    if (attributes.verb === 'update') {
      const stored = (attributes.old as V1Pod | undefined)?.spec
      if (spec.priority === undefined && stored?.priority !== undefined) spec.priority = stored.priority
      if (spec.preemptionPolicy === undefined && stored?.preemptionPolicy !== undefined) spec.preemptionPolicy = stored.preemptionPolicy
      return
    }
    const found = spec.priorityClassName ? ((await classes()).get('', spec.priorityClassName) as V1PriorityClass | undefined) : await defaultClass()
    if (spec.priorityClassName && !found) throw refused(attributes, `no PriorityClass with name ${spec.priorityClassName} was found`)
    const value = found?.value ?? 0
    const policy = found?.preemptionPolicy ?? preempting
    const rest = 'from the given PriorityClass name'
    if (spec.priority !== undefined && spec.priority !== value)
      throw refused(
        attributes,
        `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} ${rest}`,
      )
    if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy)
      throw refused(
        attributes,
        `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} ${rest}`,
      )
    if (found && !spec.priorityClassName) spec.priorityClassName = found.metadata.name
    spec.priority = value
    spec.preemptionPolicy = policy
  }

  return {
    name: 'Priority',
    handles: (attributes) => isWriteOf(attributes, 'pods') || isWriteOf(attributes, 'priorityclasses', group),
    async mutate(attributes) {
      if (attributes.resource.plural === 'pods' && (attributes.verb === 'create' || attributes.verb === 'update')) await admitPod(attributes)
    },
    async validate(attributes) {
      if (attributes.resource.plural !== 'priorityclasses' || attributes.verb === 'delete') return
      if (!draftOf<V1PriorityClass>(attributes).globalDefault) return
      const other = await defaultClass()
      if (other && other.metadata.name !== attributes.name && other.metadata.name !== attributes.object?.metadata.name)
        throw refused(attributes, `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`)
    },
  }
}
