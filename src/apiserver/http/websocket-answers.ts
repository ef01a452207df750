/** Streams over a WebSocket, for clients that have nothing else to stream with (browsers): watches, and logs. */
import type { WebSocket } from 'ws'
import { WebSocketServer } from 'ws'
import { encodeEvents } from '../negotiation/encode.ts'
import type { Upgrade } from '../request.ts'
import type { Event } from '../watch-cache/watch-stream.ts'

const bearerPrefix = 'base64url.bearer.'

export const asksForWebSocket = ({ request }: Upgrade): boolean => request.headers.upgrade?.toLowerCase() === 'websocket'

/** Each event is a text message. */
export async function sendEvents(events: AsyncIterable<unknown>, upgrade: Upgrade): Promise<void> {
  const client = await accept(upgrade)
  for await (const event of events) {
    if (client.readyState !== client.OPEN) return
    await send(client, encodeEvents([event as Event]))
  }
  client.close(1000)
}

/** Each part is a binary message, or one of text in Base64 where the client speaks that protocol; an empty one comes first. */
export async function sendBytes(parts: AsyncIterable<Uint8Array>, upgrade: Upgrade): Promise<void> {
  const client = await accept(upgrade)
  const asText = client.protocol === 'base64.binary.k8s.io'
  await send(client, '', !asText)
  for await (const part of parts) {
    if (client.readyState !== client.OPEN) return
    await send(client, asText ? Buffer.from(part).toString('base64') : part, !asText)
  }
  client.close(1000)
}

async function accept({ request, socket, head }: Upgrade): Promise<WebSocket> {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    // A token among the protocols was for the server, and is never answered.
    handleProtocols: (offered) => [...offered].find((one) => !one.startsWith(bearerPrefix)) ?? false,
  })
  const client = await new Promise<WebSocket>((resolve) => server.handleUpgrade(request, socket, head, resolve))
  // Nobody speaks to a stream; what comes is let go, and an error closes.
  client.on('error', () => client.terminate())
  return client
}

/** Resolves when the message is written, or never will be. */
const send = (client: WebSocket, message: Uint8Array | string, binary = false) =>
  new Promise<void>((resolve) => client.send(message, { binary }, () => resolve()))
