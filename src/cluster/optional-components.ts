/** Components that a cluster may go without (`skiff up --without …`), so that others of their kind take their place. */
import { UserError } from './user-error.ts'

export const optionalComponents = ['controller-manager', 'scheduler', 'proxy', 'dns', 'ingress', 'metrics-server', 'cluster-autoscaler'] as const
export type OptionalComponent = (typeof optionalComponents)[number]

/** Reads `controller-manager,scheduler`; upstream's own names (`kube-scheduler`) mean the same. */
export function parseWithout(text: string | undefined): OptionalComponent[] {
  const names = (text ?? '').split(',').map((name) => name.trim().replace(/^kube-/, ''))
  return names
    .filter((name) => name !== '')
    .map((name) => {
      const known = optionalComponents.find((component) => component === name)
      if (!known) throw new UserError(`--without takes ${optionalComponents.join(', ')}, and '${name}' is none of them`)
      return known
    })
}
