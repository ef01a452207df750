import type { RemoteCommandChannels } from './channels.ts'
import type { RemoteCommandOptions, Upgrade } from './session.ts'
import { SpdyConnection, type SpdyStream } from './spdy/connection.ts'
import { offered, refuseUpgrade, switchProtocols } from './upgrade-answer.ts'

/** Newest first. */
const protocols = ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io']
const versionHeader = 'X-Stream-Protocol-Version'

/** Takes the first of ours that the client offers; answers the upgrade either way. */
export function acceptSpdy(upgrade: Upgrade, supported: string[]): string | undefined {
  const asked = offered(upgrade, versionHeader.toLowerCase())
  const protocol = supported.find((one) => asked.includes(one))
  if (protocol === undefined) {
    refuseUpgrade(upgrade, 403, `unable to negotiate protocol: client supports [${asked.join(' ')}], server supports [${supported.join(' ')}]`, {
      'X-Accepted-Stream-Protocol-Versions': supported.join(','),
    })
    return undefined
  }
  switchProtocols(upgrade, { Upgrade: 'SPDY/3.1', [versionHeader]: protocol })
  return protocol
}

/** The client opens one stream for each thing it wants, and says in a header which it is. */
export async function spdyChannels(upgrade: Upgrade, options: RemoteCommandOptions): Promise<RemoteCommandChannels | undefined> {
  const protocol = acceptSpdy(upgrade, protocols)
  if (protocol === undefined) return undefined
  const version = protocols.length - protocols.indexOf(protocol)
  const awaited = new Set([
    'error',
    ...(['stdin', 'stdout', 'stderr'] as const).filter((name) => options[name]),
    ...(options.tty && version >= 3 ? ['resize'] : []),
  ])
  const streams: Record<string, SpdyStream> = {}
  const complete = Promise.withResolvers<void>()
  const connection = new SpdyConnection(upgrade.socket, upgrade.head, (stream) => {
    const type = stream.headers.streamtype ?? ''
    streams[type] = stream
    awaited.delete(type)
    if (awaited.size === 0) complete.resolve()
  })
  const gone = new AbortController()
  void connection.closed.then(() => gone.abort(new Error('the client went away')))
  await Promise.race([complete.promise, connection.closed])
  const { stdin, stdout, stderr, resize, error } = streams
  if (!error) return undefined
  return {
    ...(stdin ? { stdin } : {}),
    ...(stdout ? { stdout } : {}),
    ...(stderr ? { stderr } : {}),
    ...(resize ? { resize } : {}),
    error,
    structured: version >= 4,
    signal: gone.signal,
    close: () => connection.close(),
  }
}
