/** exec and attach: the streams of a command and how it ended. */
import type { Readable } from 'node:stream'
import { internalError } from '../../machinery/errors.ts'
import type { RemoteCommandChannels } from './channels.ts'
import type { RemoteCommandOptions, RemoteCommandResult, RunRemoteCommand, ServeRemoteCommand, Upgrade } from './session.ts'
import { spdyChannels } from './spdy-channels.ts'
import { isSpdy, isWebSocket, refuseUpgrade } from './upgrade-answer.ts'
import { WebSocketChannels } from './websocket-channels.ts'
import { acceptWebSocket } from './websocket-upgrade.ts'

const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'v4.base64.channel.k8s.io', 'channel.k8s.io', 'base64.channel.k8s.io', '']
const [stdin, stdout, stderr, error, resize] = [0, 1, 2, 3, 4] as const

async function webSocketChannels(upgrade: Upgrade, options: RemoteCommandOptions): Promise<RemoteCommandChannels | undefined> {
  const socket = await acceptWebSocket(upgrade, protocols)
  if (!socket) return undefined
  const channels = new WebSocketChannels(socket, socket.protocol.includes('base64'))
  const result: RemoteCommandChannels = {
    ...(options.stdin ? { stdin: channels.reader(stdin) } : {}),
    ...(options.stdout ? { stdout: channels.writer(stdout) } : {}),
    ...(options.stderr ? { stderr: channels.writer(stderr) } : {}),
    ...(options.tty ? { resize: channels.reader(resize) } : {}),
    error: channels.writer(error),
    structured: /^v[45]\./.test(socket.protocol),
    signal: channels.signal,
    close: () => channels.close(),
  }
  channels.greet(options.stdout ? stdout : options.stderr ? stderr : error)
  return result
}

/** Tells each new size; a size that came before anybody listened is kept. */
function sizes(resize: Readable | undefined): (listener: (size: { columns: number; rows: number }) => void) => void {
  let listener: ((size: { columns: number; rows: number }) => void) | undefined
  let last: { columns: number; rows: number } | undefined
  let rest = ''
  resize?.setEncoding('utf8').on('data', (text: string) => {
    rest += text
    for (let end = rest.indexOf('}'); end >= 0; end = rest.indexOf('}')) {
      const found = /"Width"\s*:\s*(\d+)[^}]*"Height"\s*:\s*(\d+)/i.exec(rest.slice(0, end + 1))
      rest = rest.slice(end + 1)
      if (!found) continue
      last = { columns: Number(found[1]), rows: Number(found[2]) }
      listener?.(last)
    }
  })
  return (given) => {
    listener = given
    if (last) given(last)
  }
}

/** As the client reads it from the error stream. */
function resultStatus(result: RemoteCommandResult): object {
  if ('error' in result) return internalError(result.error).status
  if (result.exitCode === 0) return { metadata: {}, status: 'Success' }
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${result.exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(result.exitCode) }] },
  }
}

const resultText = (result: RemoteCommandResult) =>
  'error' in result ? result.error : result.exitCode === 0 ? '' : `command terminated with non-zero exit code: exit status ${result.exitCode}`

async function finished(channels: RemoteCommandChannels, result: RemoteCommandResult): Promise<void> {
  // Output first: a client that has the result may stop reading. Errors before the rest: kubectl cp leaves as soon
  // as the archive on stdout ends.
  for (const output of [channels.stderr, channels.stdout])
    if (output && !output.writableEnded) await new Promise<void>((resolve) => output.once('close', resolve).end(() => resolve()))
  const text = channels.structured ? JSON.stringify(resultStatus(result)) : resultText(result)
  if (text && !channels.signal.aborted) await new Promise<void>((resolve) => channels.error.once('close', () => resolve()).write(text, () => resolve()))
  await channels.close()
}

export const serveRemoteCommand: ServeRemoteCommand = async (upgrade, options, run: RunRemoteCommand) => {
  upgrade.socket.on('error', () => {})
  if (!isSpdy(upgrade) && !isWebSocket(upgrade)) return refuseUpgrade(upgrade, 400, 'an upgrade to SPDY/3.1 or websocket is needed')
  const channels = isSpdy(upgrade) ? await spdyChannels(upgrade, options) : await webSocketChannels(upgrade, options)
  if (!channels) return
  const result = await run({
    ...(channels.stdin ? { stdin: channels.stdin } : {}),
    ...(channels.stdout ? { stdout: channels.stdout } : {}),
    ...(channels.stderr ? { stderr: channels.stderr } : {}),
    tty: options.tty,
    onResize: sizes(channels.resize),
    signal: channels.signal,
  }).catch((thrown: unknown): RemoteCommandResult => ({ error: thrown instanceof Error ? thrown.message : String(thrown) }))
  await finished(channels, result)
}
