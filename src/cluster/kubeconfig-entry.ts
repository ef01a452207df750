import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DataDirectory, RunningCluster } from './data-directory.ts'
import type { KubeconfigEntry } from './pki/kubeconfig.ts'

/** The administrator's way to a running cluster, from the host. */
export function kubeconfigEntry(data: DataDirectory, cluster: Pick<RunningCluster, 'context' | 'apiPort'>): KubeconfigEntry {
  const read = (file: string) => readFileSync(join(data.pki, file), 'utf8')
  return {
    context: cluster.context,
    server: `https://127.0.0.1:${cluster.apiPort}`,
    authority: read('ca.crt'),
    credentials: { certificate: read('clients/admin.crt'), key: read('clients/admin.key') },
  }
}
