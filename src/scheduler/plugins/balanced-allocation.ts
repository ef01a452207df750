import { maxScore, type Plugin } from '../framework.ts'

const share = (used: number, capacity: number) => (capacity === 0 ? 1 : Math.min(1, used / capacity))

/** Prefers nodes on which CPU and memory would be used in like measure. */
export const balancedAllocation: Plugin = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  wakenBy: [],
  preScore: (pod) => (pod.cpu || pod.memory ? undefined : 'skip'),
  score(pod, node) {
    const { capacity, used } = node
    // The standard deviation of two shares is half their distance.
    return Math.floor((1 - Math.abs(share(used.cpu + pod.cpu, capacity.cpu) - share(used.memory + pod.memory, capacity.memory)) / 2) * maxScore)
  },
}
