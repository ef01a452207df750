import assert from 'node:assert/strict'
import { createServer as createWeb } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { after, describe, it } from 'node:test'
import { ApiError } from '../../machinery/errors.ts'
import { type Backend, send } from './backend.ts'

describe('a connection to a backend', () => {
  const servers: Server[] = []
  const sockets = new Set<Socket>()
  after(() => {
    for (const socket of sockets) socket.destroy()
    for (const server of servers) server.close()
  })
  const listen = async (server: Server): Promise<number> => {
    servers.push(server.on('connection', (socket: Socket) => sockets.add(socket)))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }
  const get = (backend: Omit<Backend, 'host' | 'path'>) =>
    send({ host: '127.0.0.1', path: '/containerLogs/x', ...backend }, { method: 'GET', headers: {}, signal: AbortSignal.timeout(5_000) })

  it('is given up when a machine that hangs takes it and says nothing', async () => {
    const port = await listen(createServer())
    await assert.rejects(get({ scheme: 'https', port, connectMs: 50 }), (error) => {
      assert.ok(error instanceof ApiError)
      assert.equal(error.status.message, `Internal error occurred: Get "https://127.0.0.1:${port}/containerLogs/x": net/http: TLS handshake timeout`)
      return true
    })
  })

  it('takes an answer whose lines end in a line feed alone, as those of CGI scripts do', async () => {
    const port = await listen(createServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-type: text/plain\n\nhello'))))
    assert.equal(Buffer.concat(await (await get({ scheme: 'http', port })).toArray()).toString(), 'hello')
  })

  it('may be silent once it stands, for as long as a log that is followed', async () => {
    const port = await listen(createWeb((_, answer) => setTimeout(() => answer.end('late'), 150)))
    const answer = await get({ scheme: 'http', port, connectMs: 50 })
    assert.equal(answer.statusCode, 200)
    answer.resume()
  })

  it('is a new one for each request, so that none goes out on one whose other end is gone', async () => {
    const seen: number[] = []
    const port = await listen(
      createWeb((request, answer) => {
        seen.push(request.socket.remotePort ?? 0)
        answer.end('here')
      }),
    )
    for (let count = 0; count < 2; count++) await (await get({ scheme: 'http', port })).toArray()
    assert.notEqual(seen[0], seen[1])
  })
})
