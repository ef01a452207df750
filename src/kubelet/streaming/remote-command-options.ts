import type { RemoteCommandOptions } from './session.ts'

const set = (query: URLSearchParams, name: string) => ['1', 'true'].includes(query.get(name) ?? '')

/** The kubelet's own endpoints name them so: `/exec/ns/pod/container?input=1&output=1&error=1&tty=1&command=sh`. */
export function readRemoteCommandOptions(query: URLSearchParams): RemoteCommandOptions {
  const tty = set(query, 'tty')
  // A terminal has one output: upstream never opens stderr beside it.
  return { stdin: set(query, 'input'), stdout: set(query, 'output'), stderr: set(query, 'error') && !tty, tty }
}
