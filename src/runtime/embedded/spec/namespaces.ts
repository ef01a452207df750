/** Which namespaces a container joins: the pod's by their files, its own, or none where the node's are meant. */
import type { NamespaceMode } from '../../runtime.ts'
import type { OciNamespace } from './oci.ts'

export interface SandboxNamespaces {
  /** Undefined: the node's. */
  network: string | undefined
  ipc: string | undefined
  uts: string | undefined
}

/** `pidPath` finds the PID namespace of the pod's pause process or of another container. */
export function namespacesOf(
  sandbox: SandboxNamespaces,
  pid: NamespaceMode,
  cgroupVersion: 1 | 2,
  pidPath: (of: 'pod' | { target: string }) => string,
): OciNamespace[] {
  const join = (type: OciNamespace['type'], path: string | undefined): OciNamespace[] => (path ? [{ type, path }] : [])
  const pids: OciNamespace[] = pid === 'node' ? [] : pid === 'container' ? [{ type: 'pid' }] : [{ type: 'pid', path: pidPath(pid) }]
  return [
    { type: 'mount' },
    ...pids,
    ...join('network', sandbox.network),
    ...join('ipc', sandbox.ipc),
    ...join('uts', sandbox.uts),
    ...(cgroupVersion === 2 ? [{ type: 'cgroup' } satisfies OciNamespace] : []),
  ]
}
