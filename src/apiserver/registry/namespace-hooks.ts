/** A namespace being deleted stays until its own finalizers, beside those of its metadata, are worked off. */
import type { ServerPartFactory } from '../contracts.ts'

export const namespaceHooks: ServerPartFactory = () => ({
  name: 'namespace deletion',
  hooks: {
    namespaces: {
      heldBack: (namespace) => ((namespace.spec as { finalizers?: string[] } | undefined)?.finalizers?.length ?? 0) > 0,
      deletionMarked(draft) {
        draft.status = { ...(draft.status as object | undefined), phase: 'Terminating' }
      },
    },
  },
})
