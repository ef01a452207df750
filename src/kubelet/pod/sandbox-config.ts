import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import type { PodSandboxConfig } from '../../runtime/runtime.ts'
import type { Directories } from '../directories.ts'
import { hostNames } from '../network/hosts-file.ts'
import { type ResolverConfig, resolverConfigOf } from '../network/resolver-config.ts'
import { podLabels } from './identity.ts'

export interface SandboxSources {
  directories: Directories
  clusterDNS: string[]
  clusterDomain: string
  nodeResolver: ResolverConfig
  cgroupParent: string
  nodeName: string
}

export function sandboxConfig(pod: V1Pod, attempt: number, sources: SandboxSources): PodSandboxConfig {
  const { name, uid, namespace, annotations = {} } = pod.metadata
  const { hostname, domain } = hostNames(pod, sources.clusterDomain)
  const fullName = pod.spec.setHostnameAsFQDN && domain ? `${hostname}.${domain}` : hostname
  return {
    metadata: { name, uid, namespace, attempt },
    hostname: pod.spec.hostNetwork ? sources.nodeName : fullName,
    logDirectory: sources.directories.podLogs({ namespace, name, uid }),
    dns: resolverConfigOf(pod, { dns: sources.clusterDNS, domain: sources.clusterDomain }, sources.nodeResolver),
    portMappings: pod.spec.hostNetwork
      ? []
      : [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap(({ ports = [] }) =>
          ports.map(({ protocol = 'TCP', containerPort, hostPort = 0, hostIP = '' }) => ({
            protocol: protocol as 'TCP' | 'UDP' | 'SCTP',
            containerPort,
            hostPort,
            hostIP,
          })),
        ),
    labels: podLabels(pod),
    annotations,
    cgroupParent: sources.cgroupParent,
    network: pod.spec.hostNetwork ? 'node' : 'pod',
    pid: pod.spec.hostPID ? 'node' : pod.spec.shareProcessNamespace ? 'pod' : 'container',
    ipc: pod.spec.hostIPC ? 'node' : 'pod',
    sysctls: Object.fromEntries((pod.spec.securityContext?.sysctls ?? []).map((sysctl) => [sysctl.name, sysctl.value])),
  }
}
