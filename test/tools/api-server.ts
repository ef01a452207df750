/** A whole API server over a memory store, with certificates and a kubeconfig, for tests with real clients. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { admission } from '../../src/apiserver/admission/admission.ts'
import { authentication } from '../../src/apiserver/authentication/authentication.ts'
import { authorization } from '../../src/apiserver/authorization/authorization.ts'
import { bootstrap } from '../../src/apiserver/bootstrap/bootstrap.ts'
import { certificates } from '../../src/apiserver/certificates/certificates.ts'
import type { ServerPartFactory } from '../../src/apiserver/contracts.ts'
import { customResources } from '../../src/apiserver/custom-resources/custom-resources.ts'
import { discovery } from '../../src/apiserver/discovery/discovery.ts'
import { localGroups } from '../../src/apiserver/discovery/local-groups.ts'
import { openApi } from '../../src/apiserver/discovery/openapi.ts'
import { createHttpServer } from '../../src/apiserver/http/http-server.ts'
import { kubeletProxy } from '../../src/apiserver/proxy/proxy.ts'
import { type ApiServer, createApiServer } from '../../src/apiserver/server.ts'
import { writeKubeconfig } from '../../src/cluster/pki/kubeconfig.ts'
import { ensurePki, type Pki } from '../../src/cluster/pki/pki.ts'
import { openApiDocuments } from '../../src/machinery/openapi/openapi.ts'
import { realClock } from '../../src/machinery/real-clock.ts'
import { readBuiltInDescriptions, readBuiltInSchema } from '../../src/machinery/schema/built-in.ts'
import { Schema } from '../../src/machinery/schema/schema.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'

export interface TestApiServer {
  server: ApiServer
  pki: Pki
  url: string
  /** Removed at the end. */
  dir: string
  /** Of the administrator. */
  kubeconfig: string
  /** A kubeconfig of a user with these groups, by client certificate, or of a token. */
  kubeconfigOf(user: { name: string; groups?: string[] } | { token: string }): Promise<string>
  stop(): Promise<void>
}

export async function startApiServer(options: { parts?: ServerPartFactory[] } = {}): Promise<TestApiServer> {
  const dir = await mkdtemp(join(tmpdir(), 'skiff-api-'))
  const clock = realClock
  const pki = await ensurePki(join(dir, 'pki'), { clock })
  const schema = new Schema(readBuiltInSchema())
  const store = new MemoryStore()
  const problems: string[] = []
  const log = (level: string, message: string, fields?: Record<string, unknown>) => {
    if (level === 'error') problems.push(`${message} ${JSON.stringify(fields)}`)
  }
  const server = createApiServer({
    store,
    clock,
    schema,
    log,
    parts: [
      authentication({ serviceAccountKey: pki.serviceAccount }),
      authorization,
      admission,
      certificates,
      customResources(schema),
      discovery,
      localGroups,
      openApi(openApiDocuments(schema, readBuiltInDescriptions)),
      bootstrap({ clientCa: pki.ca.certificate, frontProxyCa: pki.frontProxyCa.certificate, advertise: { address: '127.0.0.1', port: 6443 } }),
      kubeletProxy({ ca: pki.ca.certificate, client: pki.kubeletClient }),
      ...(options.parts ?? []),
    ],
  })
  await server.start()
  const http = createHttpServer({
    handle: (request) => server.handle(request),
    clock,
    certificate: pki.serving.certificate,
    key: pki.serving.key,
    clientCa: pki.ca.certificate,
    log,
  })
  const url = `https://127.0.0.1:${await http.listen({ host: '127.0.0.1', port: 0 })}`
  const write = async (name: string, credentials: { certificate: string; key: string } | { token: string }) => {
    const file = join(dir, `${name.replaceAll(/[^\w-]/g, '_')}.kubeconfig`)
    await writeKubeconfig(file, { context: 'test', server: url, authority: pki.ca.certificate, credentials })
    return file
  }
  let made = 0
  return {
    server,
    pki,
    url,
    dir,
    kubeconfig: await write('admin', pki.admin),
    kubeconfigOf: async (user) => {
      if ('token' in user) return await write(`token-${made++}`, user)
      return await write(user.name, await pki.client(`test-${made++}`, user.name, user.groups))
    },
    async stop() {
      await server.stop()
      // The server's own timers keep nobody alive: without this the process could end in the middle, with all that follows undone.
      const alive = setInterval(() => {}, 1000)
      await http.stop(100)
      clearInterval(alive)
      await store.close()
      await rm(dir, { recursive: true })
      if (problems.length > 0) throw new Error(`the server logged errors:\n${problems.join('\n')}`)
    },
  }
}
