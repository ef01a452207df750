import { type WebSocket, WebSocketServer } from 'ws'
import type { Upgrade } from './session.ts'
import { offered, refuseUpgrade } from './upgrade-answer.ts'

/** Answers the upgrade with the first of ours that the client offers; '' stands for a client that offers none. */
export async function acceptWebSocket(upgrade: Upgrade, supported: string[]): Promise<WebSocket | undefined> {
  const asked = offered(upgrade, 'sec-websocket-protocol')
  const protocol = supported.find((one) => (one === '' ? asked.length === 0 : asked.includes(one)))
  if (protocol === undefined) {
    refuseUpgrade(upgrade, 400, `unable to negotiate protocol: client supports [${asked.join(' ')}], server supports [${supported.join(' ')}]`)
    return undefined
  }
  const server = new WebSocketServer({ noServer: true, clientTracking: false, handleProtocols: () => protocol || false, perMessageDeflate: false })
  return await new Promise((resolve) => {
    upgrade.socket.once('close', () => resolve(undefined))
    server.handleUpgrade(upgrade.request, upgrade.socket, upgrade.head, resolve)
  })
}
