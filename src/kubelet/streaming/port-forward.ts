/** Connections to ports of a pod, any number of them over one session. */
import { type Duplex, PassThrough, type Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createWebSocketStream } from 'ws'
import type { ConnectPort, ServePortForward, Upgrade } from './session.ts'
import { SpdyConnection, type SpdyStream } from './spdy/connection.ts'
import { acceptSpdy } from './spdy-channels.ts'
import { isSpdy, isWebSocket, refuseUpgrade } from './upgrade-answer.ts'
import { WebSocketChannels } from './websocket-channels.ts'
import { acceptWebSocket } from './websocket-upgrade.ts'

const protocol = 'portforward.k8s.io'
/** SPDY as it is, carried in the messages of a WebSocket. */
const tunnel = `SPDY/3.1+${protocol}`
const channelProtocols = ['v4.channel.k8s.io', 'portforward.k8s.io', '']

interface Ends {
  input: Readable
  output: Writable
  error: Writable
}

/** Joins one connection with the pod's port until both directions are done, and ends the streams. */
async function forward({ input, output, error }: Ends, port: number, connect: ConnectPort): Promise<void> {
  try {
    const target: Duplex = await connect(port)
    // Either side may go away in the middle: that ends this connection and is no failure of the session.
    await Promise.allSettled([pipeline(input, target), pipeline(target, output)])
    target.destroy()
  } catch (thrown) {
    error.write(`error forwarding port ${port} to pod: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
    input.resume()
    output.end()
  }
  error.end()
}

/** Pairs the two streams of each connection by the id that the client gave it. */
function serveSpdy(socket: Duplex, head: Buffer, connect: ConnectPort): Promise<void> {
  const waiting = new Map<string, Partial<Record<'data' | 'error', SpdyStream>>>()
  const connection = new SpdyConnection(socket, head, (stream) => {
    const type = stream.headers.streamtype
    const port = Number(stream.headers.port)
    // Old clients give no id: the data stream follows its error stream at once.
    const id = stream.headers.requestid ?? String(type === 'error' ? stream.id : stream.id - 2)
    if ((type !== 'data' && type !== 'error') || !Number.isInteger(port)) return void stream.destroy()
    const pair = { ...waiting.get(id), [type]: stream }
    if (!pair.data || !pair.error) return void waiting.set(id, pair)
    waiting.delete(id)
    void forward({ input: pair.data, output: pair.data, error: pair.error }, port, connect)
  })
  return connection.closed
}

/** The older way: two channels for each port, and one connection for each session. */
async function serveChannels(channels: WebSocketChannels, ports: number[], connect: ConnectPort): Promise<void> {
  await Promise.all(
    ports.map(async (port, index) => {
      const input = channels.reader(index * 2)
      const output = channels.writer(index * 2)
      const error = channels.writer(index * 2 + 1)
      const named = Buffer.alloc(2)
      named.writeUInt16LE(port)
      output.write(named)
      error.write(named)
      const through = new PassThrough()
      through.pipe(output)
      await forward({ input, output: through, error }, port, connect)
    }),
  )
  await channels.close()
}

async function serveWebSocket(upgrade: Upgrade, ports: number[], connect: ConnectPort): Promise<void> {
  const socket = await acceptWebSocket(upgrade, [tunnel, ...channelProtocols])
  if (!socket) return
  if (socket.protocol !== tunnel) return await serveChannels(new WebSocketChannels(socket, false), ports, connect)
  const bytes = createWebSocketStream(socket)
  await serveSpdy(bytes, Buffer.alloc(0), connect)
}

export const servePortForward: ServePortForward = async (upgrade, ports, connect) => {
  upgrade.socket.on('error', () => {})
  if (isSpdy(upgrade)) {
    if (acceptSpdy(upgrade, [protocol]) !== undefined) await serveSpdy(upgrade.socket, upgrade.head, connect)
  } else if (isWebSocket(upgrade)) await serveWebSocket(upgrade, ports, connect)
  else refuseUpgrade(upgrade, 400, 'an upgrade to SPDY/3.1 or websocket is needed')
}
