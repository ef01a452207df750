/** Where the contents of a registry's images are fetched from. */
import type { ImageReference } from '../reference.ts'

export interface RegistryConfig {
  /** Registry → addresses to ask first, in order: `{ 'docker.io': ['https://mirror.example'] }`. */
  mirrors?: Record<string, string[]>
  /** Registries (`host:port`) spoken to without TLS; those on the loopback always are. */
  insecure?: string[]
}

/** Base addresses, to be tried in order; the registry itself is the last. */
export function endpointsOf(reference: ImageReference, config: RegistryConfig): string[] {
  const { registry } = reference
  const mirrors = (config.mirrors?.[registry] ?? []).map((address) => address.replace(/\/+$/, ''))
  const plain = isLoopback(registry) || (config.insecure ?? []).includes(registry)
  // Docker Hub's name is not its address.
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry
  return [...mirrors, `${plain ? 'http' : 'https'}://${host}`]
}

function isLoopback(registry: string): boolean {
  const host = registry.replace(/:\d+$/, '')
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host)
}
