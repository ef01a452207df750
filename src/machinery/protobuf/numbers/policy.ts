/** Field numbers on the wire; `2.1` is field 1 of an embedded message that is field 2. */
export const policy: Readonly<Record<string, string>> = {
  V1Eviction: 'metadata 1, deleteOptions 2',
  V1PodDisruptionBudget: 'metadata 1, spec 2, status 3',
  V1PodDisruptionBudgetSpec: 'minAvailable 1, selector 2, maxUnavailable 3, unhealthyPodEvictionPolicy 4',
  V1PodDisruptionBudgetStatus: 'observedGeneration 1, disruptedPods 2, disruptionsAllowed 3, currentHealthy 4, desiredHealthy 5, expectedPods 6, conditions 7',
}
