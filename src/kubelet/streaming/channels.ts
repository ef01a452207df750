/** The streams of a remote command, whichever protocol carries them. */
import type { Readable, Writable } from 'node:stream'

export interface RemoteCommandChannels {
  stdin?: Readable
  stdout?: Writable
  stderr?: Writable
  /** New terminal sizes, as JSON objects one after another. */
  resize?: Readable
  /** How the command ended. */
  error: Writable
  /** Whether the result is told as a Status; as text otherwise, and nothing for success. */
  structured: boolean
  /** Aborted when the client went away. */
  signal: AbortSignal
  /** Sends what is left and ends. */
  close(): Promise<void>
}
