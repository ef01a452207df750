/** POST pods/NAME/binding: the scheduler gives a pod to a node. */
import { timestamp } from '../../machinery/clock.ts'
import { badRequest, conflict } from '../../machinery/errors.ts'
import type { AnyObject, Status } from '../../machinery/object.ts'
import type { V1Binding, V1Pod, V1PodCondition } from '../../machinery/schema/generated/types.ts'
import type { RequestContext, RequestHandler } from '../contracts.ts'
import { decodeObject } from '../registry/decode.ts'
import type { Registries } from '../registry/registries.ts'
import type { Registry } from '../registry/registry.ts'
import { changeObject } from '../registry/update.ts'
import { type WriteRequest, writeRequest } from '../registry/write-request.ts'

export function bindingHandler(registries: () => Registries): RequestHandler {
  return {
    name: 'binding',
    resources: ['pods/binding', 'bindings'],
    async handle(context) {
      const registry = registries().byGroupResource('pods')
      if (!registry) throw new Error('pods are not served')
      const request = { ...writeRequest(context, 'create'), subresource: 'binding' }
      await bind(registry, request, context)
      return { kind: 'object', status: 201, object: success }
    },
  }
}

const success: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }

async function bind(registry: Registry, request: WriteRequest, context: RequestContext): Promise<void> {
  const { namespace } = context.info
  const binding = decodeObject(await context.body(), { kind: 'Binding', apiVersion: 'v1', model: 'V1Binding' }, registry.schema, request)
  const { target } = binding as unknown as V1Binding
  const name = context.info.resource === 'pods' ? context.info.name : binding.metadata.name
  if (binding.metadata.name && binding.metadata.name !== name) throw badRequest('name in URL does not match name in Binding object')
  if (!target?.name) throw badRequest('Binding "" is invalid: target.name: Required value')
  if (target.kind && target.kind !== 'Node')
    throw badRequest(`Binding "${name}" is invalid: target.kind: Unsupported value: ${JSON.stringify(target.kind)}: supported values: "Node", "<empty>"`)
  const attributes = registry.attributes('create', request, { namespace, name, object: binding, old: undefined })
  await registry.admission.mutate(attributes)
  await registry.admission.validate(attributes)
  await changeObject(registry, request, {
    namespace,
    name,
    createsMissing: false,
    trusted: true,
    tracked: true,
    draft(current) {
      const pod = registry.storage.draftOf(current as AnyObject) as unknown as V1Pod
      assign(pod, target.name ?? '', binding, registry)
      return pod as unknown as AnyObject
    },
  })
}

function assign(pod: V1Pod, node: string, binding: AnyObject, registry: Registry): void {
  const { name, uid, generation, deletionTimestamp } = pod.metadata
  const refuse = (why: string) => conflict({ resource: 'pods/binding', name }, why)
  if (binding.metadata.uid && binding.metadata.uid !== uid)
    throw refuse(`Precondition failed: UID in precondition: ${binding.metadata.uid}, UID in object meta: ${uid}`)
  if (deletionTimestamp) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`)
  if (pod.spec.nodeName) throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`)
  if (pod.spec.schedulingGates?.length) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`)
  pod.spec.nodeName = node
  if (binding.metadata.annotations) pod.metadata.annotations = { ...pod.metadata.annotations, ...binding.metadata.annotations }
  if (binding.metadata.labels) pod.metadata.labels = { ...pod.metadata.labels, ...binding.metadata.labels }
  // Where it would have gone is of no more meaning (KEP-5278).
  const { nominatedNodeName: _, ...status } = pod.status ?? {}
  pod.status = {
    ...status,
    conditions: withCondition(
      pod.status?.conditions ?? [],
      { type: 'PodScheduled', status: 'True', ...(generation === undefined ? {} : { observedGeneration: generation }) },
      timestamp(registry.clock.now()),
    ),
  }
}

/** Sets a condition; its time changes only with its status. */
export function withCondition(conditions: readonly V1PodCondition[], condition: V1PodCondition, now: string): V1PodCondition[] {
  const before = conditions.find(({ type }) => type === condition.type)
  const set = { ...condition, lastProbeTime: undefined, lastTransitionTime: before?.status === condition.status ? before.lastTransitionTime : now }
  const { lastProbeTime: _, ...clean } = set
  return before ? conditions.map((one) => (one === before ? clean : one)) : [...conditions, clean]
}
