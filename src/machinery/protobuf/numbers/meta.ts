/** Field numbers on the wire; `2.1` is field 1 of an embedded message that is field 2. */
export const meta: Readonly<Record<string, string>> = {
  V1Condition: 'type 1, status 2, observedGeneration 3, lastTransitionTime 4, reason 5, message 6',
  V1DeleteOptions:
    'gracePeriodSeconds 1, preconditions 2, orphanDependents 3, propagationPolicy 4, dryRun 5, ignoreStoreReadErrorWithClusterBreakingPotential 6',
  V1FieldSelectorRequirement: 'key 1, operator 2, values 3',
  V1LabelSelector: 'matchLabels 1, matchExpressions 2',
  V1LabelSelectorRequirement: 'key 1, operator 2, values 3',
  V1ListMeta: 'selfLink 1, resourceVersion 2, continue 3, remainingItemCount 4',
  V1ObjectMeta:
    'name 1, generateName 2, namespace 3, selfLink 4, uid 5, resourceVersion 6, generation 7, creationTimestamp 8, deletionTimestamp 9, deletionGracePeriodSeconds 10, labels 11, annotations 12, ownerReferences 13, finalizers 14, managedFields 17',
  V1OwnerReference: 'kind 1, name 3, uid 4, apiVersion 5, controller 6, blockOwnerDeletion 7',
  V1Preconditions: 'uid 1, resourceVersion 2',
  V1Status: 'metadata 1, status 2, message 3, reason 4, details 5, code 6',
  V1StatusCause: 'reason 1, message 2, field 3',
  V1StatusDetails: 'name 1, group 2, kind 3, causes 4, retryAfterSeconds 5, uid 6',
}
