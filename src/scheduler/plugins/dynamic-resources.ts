import type { Plugin } from '../framework.ts'

/**
 * A pod that claims devices (KEP-4381) goes where its claims were given theirs. No driver speaks for devices of these
 * nodes and nobody gives them out, so that it waits: it must not run without what it claims.
 */
export const dynamicResources: Plugin = {
  name: 'DynamicResources',
  wakenBy: ['pod-updated'],
  preFilter: ({ pod }) => (pod.spec.resourceClaims?.length ? undefined : 'skip'),
  filter: () => ({ reason: 'cannot allocate all claims', unresolvable: true }),
}
