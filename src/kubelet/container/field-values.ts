/** Values of the downward API: fields of the pod, resources of its containers. */
import { formatQuantity, fromMilli, fromWhole, quantity, toWhole } from '../../machinery/quantity.ts'
import type { V1ObjectFieldSelector, V1Pod, V1ResourceFieldSelector } from '../../machinery/schema/generated/types.ts'

const quotedMap = (map: Record<string, string> | undefined) =>
  Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n')

/** `status` values come from the kubelet itself, before they are written: `podIPs`, `hostIPs`. */
export function fieldValue(pod: V1Pod, { fieldPath }: V1ObjectFieldSelector, status: { podIPs: string[]; hostIPs: string[] }): string {
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(fieldPath)
  if (subscript) return pod.metadata[subscript[1] as 'labels' | 'annotations']?.[subscript[2] ?? ''] ?? ''
  switch (fieldPath) {
    case 'metadata.name':
      return pod.metadata.name
    case 'metadata.namespace':
      return pod.metadata.namespace
    case 'metadata.uid':
      return pod.metadata.uid
    case 'metadata.labels':
      return quotedMap(pod.metadata.labels)
    case 'metadata.annotations':
      return quotedMap(pod.metadata.annotations)
    case 'spec.nodeName':
      return pod.spec.nodeName ?? ''
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? ''
    case 'status.podIP':
      return status.podIPs[0] ?? ''
    case 'status.podIPs':
      return status.podIPs.join(',')
    case 'status.hostIP':
      return status.hostIPs[0] ?? ''
    case 'status.hostIPs':
      return status.hostIPs.join(',')
    default:
      throw new Error(`unsupported fieldPath: ${fieldPath}`)
  }
}

/** `limits.cpu` and the like, divided and rounded up; a limit that is not set is what the node has. */
export function resourceValue(pod: V1Pod, selector: V1ResourceFieldSelector, containerName: string, allocatable: Record<string, string>): string {
  const name = selector.containerName ?? containerName
  const container = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((one) => one.name === name)
  if (!container) throw new Error(`container ${name} not found`)
  const [kind, ...rest] = selector.resource.split('.')
  const resource = rest.join('.')
  const list = kind === 'limits' ? container.resources?.limits : container.resources?.requests
  const fallback = kind === 'limits' ? allocatable[resource] : container.resources?.limits?.[resource]
  const value = quantity(list?.[resource] ?? fallback ?? '0')
  const divisor = quantity(selector.divisor && selector.divisor !== '0' ? selector.divisor : '1')
  const amount = (value.nanos + divisor.nanos - 1n) / divisor.nanos
  return String(amount)
}

export const milliCpu = (milli: number): string => formatQuantity(fromMilli(milli))
export const bytes = (amount: number): string => formatQuantity(fromWhole(amount, 'binary'))
export const wholeBytes = (text: string): number => toWhole(text)
