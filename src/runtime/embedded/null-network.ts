import type { PodNetwork } from '../runtime.ts'

/** Pods have a loopback and nothing else: for tests, and for builds that need no network. */
export const nullNetwork: PodNetwork = {
  attach: async () => ({ ips: [] }),
  detach: async () => {},
  retain: async () => {},
}
