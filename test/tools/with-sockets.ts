/**
 * `with-sockets.ts FILE PORT…`: runs a file that inherits listening sockets on loopback, as 3 and up, as a launcher
 * hands them in: nobody else accepts from them.
 */
import { spawn } from 'node:child_process'
import { createServer, type Server } from 'node:net'

const [file = '', ...ports] = process.argv.slice(2)
const servers: Server[] = []
for (const port of ports) {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(Number(port), '127.0.0.1', resolve))
  servers.push(server)
}
const descriptors = servers.map((server) => (server as unknown as { _handle: { fd: number } })._handle.fd)
const child = spawn(process.execPath, ['--test-reporter=spec', file], { stdio: ['ignore', 'inherit', 'inherit', ...descriptors] })
for (const server of servers) server.close()
child.on('exit', (code) => process.exit(code ?? 1))
