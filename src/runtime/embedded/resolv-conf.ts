import type { PodSandboxConfig } from '../runtime.ts'
import { readText } from './json-file.ts'

/** What the pod was given; the node's own file when it was given nothing. */
export function resolvConf({ servers, searches, options }: PodSandboxConfig['dns']): string {
  if (servers.length === 0 && searches.length === 0 && options.length === 0) return readText('/etc/resolv.conf') ?? ''
  const lines = [
    ...(searches.length > 0 ? [`search ${searches.join(' ')}`] : []),
    ...servers.map((server) => `nameserver ${server}`),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
  ]
  return `${lines.join('\n')}\n`
}
