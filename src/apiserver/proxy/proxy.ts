/** Connections through the API server into the cluster: to kubelets, pods and Services. */
import type { ServerPart, ServerPartFactory } from '../contracts.ts'
import { httpProxies } from './http-proxy.ts'
import { kubeletBackend, podSessions } from './pod-sessions.ts'

export interface KubeletProxyOptions {
  /** PEM of the authority of the kubelets' serving certificates. */
  ca: string
  /** The certificate with which the API server calls kubelets. PEM. */
  client: { certificate: string; key: string }
}

export const kubeletProxy =
  (options: KubeletProxyOptions): ServerPartFactory =>
  (server): ServerPart => {
    const kubelet = kubeletBackend(server, options)
    return { name: 'kubelet-proxy', handlers: [...podSessions(server, kubelet), ...httpProxies(server, kubelet)] }
  }
