/**
 * The server side of exec, attach and port-forward, whichever protocol the client speaks (SPDY/3.1, or
 * WebSocket with the v4 or v5 channel protocols). The kubelet's server hands in the upgraded connection and
 * says what to run; it sees nothing of frames and channels. The API server pipes the bytes through unchanged.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { SessionStreams } from '../../runtime/runtime.ts'

/** A connection that asks to speak another protocol, as Node's HTTP server hands it over. */
export interface Upgrade {
  request: IncomingMessage
  socket: Duplex
  head: Buffer
}

/** Which streams the client asked for. */
export interface RemoteCommandOptions {
  stdin: boolean
  stdout: boolean
  stderr: boolean
  tty: boolean
}

/** How a command ended. `error` is for what kept it from running or lost it. */
export type RemoteCommandResult = { exitCode: number } | { error: string }

/** Runs the command over the streams and resolves when it has ended; a throw becomes an `error` result. */
export type RunRemoteCommand = (streams: SessionStreams) => Promise<RemoteCommandResult>

/**
 * Opens a connection to a port of the pod. A rejection's message is told to the client on the connection's
 * error stream, and leaves the session open.
 */
export type ConnectPort = (port: number) => Promise<Duplex>

/**
 * `serveRemoteCommand(upgrade, options, run)` and `servePortForward(upgrade, ports, connect)` (see
 * `remote-command.ts` and `port-forward.ts`) negotiate, answer the upgrade (or 400 when no protocol fits),
 * run, report the result to the client and close. They resolve when the session is over and never reject.
 */
export type ServeRemoteCommand = (upgrade: Upgrade, options: RemoteCommandOptions, run: RunRemoteCommand) => Promise<void>

/** `ports` are needed by the older WebSocket protocol alone, which names them in the query. */
export type ServePortForward = (upgrade: Upgrade, ports: number[], connect: ConnectPort) => Promise<void>
