/** An APIService whose group and version another server serves. */
import type { AnyObject } from '../../machinery/object.ts'
import type { V1APIService } from '../../machinery/schema/generated/types.ts'

export interface RemoteService {
  /** `v1beta1.metrics.k8s.io` */
  name: string
  group: string
  version: string
  groupPriority: number
  versionPriority: number
  /** Where the server is found. */
  service: { namespace: string; name: string; port: number }
  /** PEM of who signed its certificate; absent: an authority that the system trusts. */
  ca: string | undefined
  insecure: boolean
}

/** Undefined for what this server serves itself. */
export function remoteService(object: AnyObject): RemoteService | undefined {
  const { metadata, spec } = object as unknown as V1APIService
  const service = spec?.service
  if (!spec || !service?.name || !service.namespace) return undefined
  return {
    name: metadata.name,
    group: spec.group ?? '',
    version: spec.version ?? '',
    groupPriority: spec.groupPriorityMinimum,
    versionPriority: spec.versionPriority,
    service: { namespace: service.namespace, name: service.name, port: service.port ?? 443 },
    ca: spec.caBundle ? Buffer.from(spec.caBundle, 'base64').toString() : undefined,
    insecure: spec.insecureSkipTLSVerify ?? false,
  }
}

export const groupVersionPath = ({ group, version }: { group: string; version: string }) => `/apis/${group}/${version}`

interface Condition {
  type: string
  status: string
  reason?: string
  message?: string
  lastTransitionTime?: string
}

export const availableCondition = (object: AnyObject): Condition | undefined =>
  (object as { status?: { conditions?: Condition[] } }).status?.conditions?.find(({ type }) => type === 'Available')
