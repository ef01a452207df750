/** A control plane alone, over a disk, in this process and served over HTTPS: for measures of the server that switch parts of it. */
import { join } from 'node:path'
import type { WriteRecord } from '../src/apiserver/contracts.ts'
import { createLogger } from '../src/client/logger.ts'
import { type ControlPlane, startControlPlane } from '../src/cluster/control-plane.ts'
import { writeKubeconfig } from '../src/cluster/pki/kubeconfig.ts'
import { ensurePki } from '../src/cluster/pki/pki.ts'
import { realClock } from '../src/machinery/real-clock.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'

export interface OpenServer {
  controlPlane: ControlPlane
  /** Of the administrator. */
  kubeconfig: string
  stop(): Promise<void>
}

export async function openServer(directory: string, onWrite: (write: WriteRecord) => void): Promise<OpenServer> {
  const clock = realClock
  const [pki, store] = await Promise.all([ensurePki(join(directory, 'pki'), { clock }), openSqliteStore(join(directory, 'state.db'))])
  const log = createLogger({ clock, write: (line) => console.error(line), level: 'warn' })
  const controlPlane = await startControlPlane({
    store,
    clock,
    log,
    pki,
    encryptionFile: join(directory, 'encryption.yaml'),
    serviceCidr: '10.96.0.0/16',
    onWrite,
  })
  const port = await controlPlane.http.listen({ port: 0 })
  const kubeconfig = join(directory, 'admin.kubeconfig')
  const server = `https://127.0.0.1:${port}`
  await writeKubeconfig(kubeconfig, { context: 'bench', server, authority: pki.ca.certificate, credentials: pki.admin })
  return {
    controlPlane,
    kubeconfig,
    async stop() {
      await controlPlane.stop()
      await store.close()
    },
  }
}
