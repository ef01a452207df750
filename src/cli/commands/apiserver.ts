/** The API server alone: a store, certificates and a kubeconfig in a directory, no node. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { services } from '../../apiserver/services/services.ts'
import { createLogger } from '../../client/logger.ts'
import { startControlPlane } from '../../cluster/control-plane.ts'
import { writeKubeconfig } from '../../cluster/pki/kubeconfig.ts'
import { ensurePki } from '../../cluster/pki/pki.ts'
import { UserError } from '../../cluster/user-error.ts'
import { realClock } from '../../machinery/real-clock.ts'
import { MemoryStore } from '../../store/memory-store.ts'
import { openSqliteStore } from '../../store/sqlite/sqlite-store.ts'
import { openTraceLog } from '../../trace/trace-log.ts'
import type { Command } from '../command.ts'
import { port } from '../numbers.ts'

export const apiserver: Command = {
  name: 'apiserver',
  summary: 'Runs the API server alone; its administrator kubeconfig is written into the directory.',
  options: {
    'data-dir': { type: 'string', value: 'DIRECTORY', default: './skiff-apiserver', help: 'store, certificates, admin.kubeconfig' },
    address: { type: 'string', value: 'ADDRESS', default: '127.0.0.1', help: 'to listen on' },
    port: { type: 'string', value: 'PORT', default: '6443', help: 'to listen on; 0 takes any free one' },
    store: { type: 'string', value: 'sqlite|memory', default: 'sqlite', help: 'where objects are kept' },
    'service-cidr': { type: 'string', value: 'CIDR', default: '10.96.0.0/12', help: 'block of the Services' },
  },
  async run(values) {
    const directory = String(values['data-dir'])
    const address = String(values.address)
    if (values.store !== 'sqlite' && values.store !== 'memory') throw new UserError(`--store must be sqlite or memory, not '${values.store}'`)
    mkdirSync(join(directory, 'pki'), { recursive: true })
    const log = createLogger({ clock: realClock, write: (line) => console.error(line) })
    const serviceCidr = String(values['service-cidr'])
    const pki = await ensurePki(join(directory, 'pki'), { clock: realClock, extraNames: [address] })
    const store = values.store === 'memory' ? new MemoryStore() : await openSqliteStore(join(directory, 'state.db'))
    const trace = openTraceLog(join(directory, 'trace.db'), realClock)
    const plane = await startControlPlane({
      store,
      clock: realClock,
      log,
      pki,
      serviceCidr,
      encryptionFile: join(directory, 'encryption.yaml'),
      onWrite: (write) => trace.record(write),
      parts: [services({ clusterIpRange: serviceCidr })],
    })
    const listening = await plane.http.listen({ host: address, port: port(values.port, '--port') }).catch((error: NodeJS.ErrnoException) => {
      throw new UserError(`port ${values.port} on ${address} cannot be used (${error.code}): choose another with --port`)
    })
    const kubeconfig = join(directory, 'admin.kubeconfig')
    await writeKubeconfig(kubeconfig, { context: 'skiff', server: `https://${address}:${listening}`, authority: pki.ca.certificate, credentials: pki.admin })
    console.log(`the API server listens on https://${address}:${listening}; kubeconfig: ${kubeconfig}`)
    await new Promise<void>((resolve) => {
      process.once('SIGINT', resolve)
      process.once('SIGTERM', resolve)
    })
    await plane.stop()
    trace.close()
    await store.close()
    process.exit(0)
  },
}
