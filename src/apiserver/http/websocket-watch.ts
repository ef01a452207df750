/** A watch over a WebSocket, for clients that have nothing else to stream with (browsers): each event is a text message. */
import type { WebSocket } from 'ws'
import { WebSocketServer } from 'ws'
import { encodeEvents } from '../negotiation/encode.ts'
import type { Upgrade } from '../request.ts'
import type { Event } from '../watch-cache/watch-stream.ts'

const bearerPrefix = 'base64url.bearer.'

export const asksForWebSocket = ({ request }: Upgrade): boolean => request.headers.upgrade?.toLowerCase() === 'websocket'

export async function sendEvents(events: AsyncIterable<unknown>, { request, socket, head }: Upgrade): Promise<void> {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    // A token among the protocols was for the server, and is never answered.
    handleProtocols: (offered) => [...offered].find((one) => !one.startsWith(bearerPrefix)) ?? false,
  })
  const client = await new Promise<WebSocket>((resolve) => server.handleUpgrade(request, socket, head, resolve))
  // Nobody speaks to a watch; what comes is let go, and an error closes.
  client.on('error', () => client.terminate())
  for await (const event of events) {
    if (client.readyState !== client.OPEN) return
    await send(client, encodeEvents([event as Event]))
  }
  client.close(1000)
}

/** Resolves when the message is written, or never will be. */
const send = (client: WebSocket, message: Buffer) => new Promise<void>((resolve) => client.send(message, { binary: false }, () => resolve()))
