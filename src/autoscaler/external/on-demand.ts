import type { NodeProvider } from '../node-provider.ts'
import type { ExternalProviderOptions } from './external-provider.ts'

/** {@link externalProvider}, whose code (gRPC) is read when the first external pool is there: most clusters have none. */
export function externalProviderOnDemand(options: ExternalProviderOptions): NodeProvider {
  let loading: Promise<NodeProvider> | undefined
  const load = () => {
    loading ??= import('./external-provider.ts').then(({ externalProvider }) => externalProvider(options))
    return loading
  }
  return {
    group: async (pool) => (await load()).group(pool),
    refresh: async () => (await loading)?.refresh(),
    close: async () => (await loading)?.close(),
  }
}
