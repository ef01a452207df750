import { maxScore, type Plugin } from '../framework.ts'

/** Prefers nodes on which CPU and memory would be used in like measure. */
export const balancedAllocation: Plugin = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  wakenBy: [],
  preScore: (pod) => (pod.requests.get('cpu') || pod.requests.get('memory') ? undefined : 'skip'),
  score(pod, node) {
    const share = (name: 'cpu' | 'memory') => {
      const capacity = node.allocatable.get(name) ?? 0
      return capacity === 0 ? 1 : Math.min(1, ((node.requested.get(name) ?? 0) + (pod.requests.get(name) ?? 0)) / capacity)
    }
    // The standard deviation of two shares is half their distance.
    return Math.floor((1 - Math.abs(share('cpu') - share('memory')) / 2) * maxScore)
  },
}
