/** `/metrics` and health of the components that have no server of their own, on upstream's ports of the node's address. */
import type { Component, ComponentContext } from '../client/component.ts'
import { Pod } from '../client/resources.ts'
import { SecurePages } from '../client/secure-pages.ts'
import type { Clock } from '../machinery/clock.ts'
import { podResourceMetrics } from '../scheduler/pod-resource-metrics.ts'
import type { Pki } from './pki/pki.ts'

/** Upstream's secure ports. */
export const componentPorts = { 'kube-controller-manager': 10257, 'kube-scheduler': 10259 } as const

export interface ComponentPagesOptions {
  pki: Pki
  clock: Clock
  address: string
  /** By the component's name; those that do not run here are left out. */
  components: Partial<Record<keyof typeof componentPorts, ComponentContext | undefined>>
}

export async function startComponentPages({ pki, clock, address, components }: ComponentPagesOptions): Promise<Component> {
  const pages = new SecurePages({
    clock,
    certificate: () => pki.extensionServing('components', ['localhost', ...Object.keys(componentPorts)], [address, '127.0.0.1']),
    clientCa: pki.ca.certificate,
  })
  for (const [name, port] of Object.entries(componentPorts)) {
    const context = components[name as keyof typeof componentPorts]
    if (!context?.metrics) continue
    const { informers, client, metrics: registry } = context
    // The pods that a scheduler follows anyway.
    const more: Record<string, () => string> =
      name === 'kube-scheduler' ? { '/metrics/resources': () => podResourceMetrics(informers.informer(Pod).list()) } : {}
    await pages.serve({ host: address, port, registry, client, pages: more })
  }
  return { name: 'component pages', stop: () => pages.stop() }
}
