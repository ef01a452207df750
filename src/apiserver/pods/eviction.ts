/** POST pods/NAME/eviction: a deletion that asks the pod's disruption budget first. */
import { timestamp } from '../../machinery/clock.ts'
import { ApiError, badRequest, conflict, forbidden, isApiError, notFound, tooManyRequests } from '../../machinery/errors.ts'
import type { AnyObject, Status } from '../../machinery/object.ts'
import type { V1Condition, V1Eviction, V1Pod, V1PodDisruptionBudget } from '../../machinery/schema/generated/types.ts'
import { matchesLabelSelector } from '../../machinery/selectors.ts'
import type { RequestContext, RequestHandler } from '../contracts.ts'
import { decodeObject } from '../registry/decode.ts'
import { checkPreconditions, deleteObject } from '../registry/delete.ts'
import type { DeleteOptions } from '../registry/deletion.ts'
import type { Registries } from '../registry/registries.ts'
import type { Registry } from '../registry/registry.ts'
import { changeObject } from '../registry/update.ts'
import { dryRunOf, type WriteRequest, writeRequest } from '../registry/write-request.ts'
import { withCondition } from './binding.ts'

export function evictionHandler(registries: () => Registries): RequestHandler {
  return {
    name: 'eviction',
    resources: ['pods/eviction'],
    async handle(context) {
      const pods = registries().byGroupResource('pods')
      const budgets = registries().byGroupResource('poddisruptionbudgets.policy')
      if (!pods || !budgets) throw new Error('pods and their disruption budgets are not served')
      await evict(pods, budgets, context)
      return { kind: 'object', status: 201, object: success }
    },
  }
}

const success: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }

async function evict(pods: Registry, budgets: Registry, context: RequestContext): Promise<void> {
  const { namespace, name } = context.info
  const write = { ...writeRequest(context, 'create'), subresource: 'eviction' }
  const eviction = decodeObject(await context.body(), { kind: 'Eviction', apiVersion: 'policy/v1', model: 'V1Eviction' }, pods.schema, write)
  if (eviction.metadata.name && eviction.metadata.name !== name)
    throw badRequest(`name in URL does not match name in Eviction object: ${eviction.metadata.name}`)
  const options = ((eviction as unknown as V1Eviction).deleteOptions ?? {}) as DeleteOptions
  const request: WriteRequest = { ...write, dryRun: write.dryRun || dryRunOf(options.dryRun ?? []) }
  const attributes = pods.attributes('create', request, { namespace, name, object: eviction, old: undefined })
  await pods.admission.mutate(attributes)
  await pods.admission.validate(attributes)

  for (let tries = 1; ; tries++) {
    const current = await pods.storage.current(namespace, name)
    if (!current) throw notFound(pods.about(name))
    checkPreconditions(pods, current.object, options)
    const pod = current.object as unknown as V1Pod
    // What goes without being counted must not have become ready meanwhile.
    const mustBeAsSeen = await spendFor(budgets, request, pod)
    const seen = mustBeAsSeen || options.preconditions?.resourceVersion ? pod.metadata.resourceVersion : undefined
    try {
      const marked = request.dryRun || needsNoBudget(pod) ? undefined : await markDisrupted(pods, request, pod, seen)
      const asSeen = seen ? { resourceVersion: marked ?? seen } : {}
      const preconditions = { uid: pod.metadata.uid, ...options.preconditions, ...asSeen }
      await deleteObject(pods, { ...request, subresource: '', verb: 'delete' }, namespace, name, { ...options, preconditions })
      return
    } catch (error) {
      if (!seen || tries === mostTries || !isApiError(error, 'Conflict')) throw error
    }
  }
}

const mostTries = 20

/** Takes the pod out of its budget, where it counts there. True when it may go only as long as it is as it is now. */
async function spendFor(budgets: Registry, request: WriteRequest, pod: V1Pod): Promise<boolean> {
  if (needsNoBudget(pod)) return pod.status?.phase === 'Pending' && pod.metadata.deletionTimestamp === undefined
  const budget = await budgetOf(budgets, pod)
  if (!budget) return false
  if (isUnreadyAndMayGo(pod, budget)) return true
  await spend(budgets, request, budget, pod.metadata.name)
  return false
}

/** Who does not run, or is going anyway, disrupts nobody. */
const needsNoBudget = ({ metadata, status }: V1Pod) =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed' || status?.phase === 'Pending' || metadata.deletionTimestamp !== undefined

async function budgetOf(budgets: Registry, pod: V1Pod): Promise<V1PodDisruptionBudget | undefined> {
  await budgets.storage.cache.ready()
  await budgets.feed.caughtUp()
  const { namespace, labels } = pod.metadata
  const matching: V1PodDisruptionBudget[] = []
  for (const object of budgets.storage.cache.list(namespace)) {
    const budget = object as unknown as V1PodDisruptionBudget
    if (matchesLabelSelector(budget.spec.selector, labels)) matching.push(budget)
  }
  if (matching.length > 1)
    throw new ApiError({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      code: 500,
    })
  return matching[0]
}

/** A pod that is not ready anyway may go when its budget's policy says so, or when enough others are healthy. */
function isUnreadyAndMayGo(pod: V1Pod, { spec, status }: V1PodDisruptionBudget): boolean {
  const ready = pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True')
  if (ready) return false
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  return (status?.currentHealthy ?? 0) >= (status?.desiredHealthy ?? 0) && (status?.desiredHealthy ?? 0) > 0
}

/** Takes one of the disruptions that the budget allows; refuses with 429 when there is none. */
async function spend(budgets: Registry, request: WriteRequest, budget: V1PodDisruptionBudget, pod: string): Promise<void> {
  const { name, namespace } = budget.metadata
  await changeObject(
    budgets,
    { ...request, verb: 'update', subresource: 'status' },
    {
      namespace,
      name,
      createsMissing: false,
      trusted: true,
      tracked: true,
      draft(stored) {
        const draft = budgets.storage.draftOf(stored as AnyObject) as unknown as V1PodDisruptionBudget
        const { status } = draft
        if ((status?.observedGeneration ?? 0) < (draft.metadata.generation ?? 0))
          throw refusal(`The disruption budget ${name} is still being processed by the server.`, 10)
        const about = budgets.about(name)
        if ((status?.disruptionsAllowed ?? 0) < 0) throw forbidden(about, 'pdb disruptions allowed is negative')
        if (Object.keys(status?.disruptedPods ?? {}).length > mostPending)
          throw forbidden(about, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller')
        if (!status?.disruptionsAllowed)
          throw refusal(`The disruption budget ${name} needs ${status?.desiredHealthy ?? 0} healthy pods and has ${status?.currentHealthy ?? 0} currently`, 0)
        status.disruptionsAllowed--
        if (status.disruptionsAllowed === 0) status.conditions = exhausted(draft, timestamp(budgets.clock.now()))
        status.disruptedPods = { ...status.disruptedPods, [pod]: timestamp(budgets.clock.now()) } as never
        return draft as unknown as AnyObject
      },
    },
  )
}

/** Evictions of a budget that were granted and of which the disruption controller has not heard yet. */
const mostPending = 2000

function exhausted({ metadata, status }: V1PodDisruptionBudget, now: string): V1Condition[] {
  const type = 'DisruptionAllowed'
  const before = status?.conditions?.find((condition) => condition.type === type)
  const next = {
    type,
    status: 'False',
    reason: 'InsufficientPods',
    message: '',
    observedGeneration: metadata.generation,
    lastTransitionTime: before?.status === 'False' ? before.lastTransitionTime : now,
  }
  return [...(status?.conditions ?? []).filter((condition) => condition !== before), next]
}

function refusal(message: string, retryAfter: number): ApiError {
  return tooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", retryAfter, [{ reason: 'DisruptionBudget', message }])
}

/** Tells whoever looks at the pod why it goes; the version of the pod that says so. `seen`: only if it is that version still. */
async function markDisrupted(pods: Registry, request: WriteRequest, { metadata }: V1Pod, seen: string | undefined): Promise<string> {
  const { object } = await changeObject(
    pods,
    { ...request, verb: 'update' },
    {
      namespace: metadata.namespace,
      name: metadata.name,
      createsMissing: false,
      trusted: true,
      tracked: true,
      draft(stored) {
        const draft = pods.storage.draftOf(stored as AnyObject) as unknown as V1Pod
        if (seen && stored?.metadata.resourceVersion !== seen) throw conflict(pods.about(metadata.name), 'it changed meanwhile')
        const condition = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' }
        draft.status = { ...draft.status, conditions: withCondition(draft.status?.conditions ?? [], condition, timestamp(pods.clock.now())) }
        return draft as unknown as AnyObject
      },
    },
  )
  return object.metadata.resourceVersion ?? ''
}
