import type { Upgrade } from '../../apiserver/request.ts'
import type { PodServices } from '../pod/pod-services.ts'
import { servePortForward } from '../streaming/port-forward.ts'
import { serveRemoteCommand } from '../streaming/remote-command.ts'
import { readRemoteCommandOptions } from '../streaming/remote-command-options.ts'
import { HttpError, type Target } from './pod-target.ts'

type Endpoint = 'exec' | 'attach' | 'portForward'

export const servesStreams = (name: string | undefined): name is Endpoint => name === 'exec' || name === 'attach' || name === 'portForward'

export async function serveStreams(endpoint: Endpoint, target: Target, query: URLSearchParams, upgrade: Upgrade, { runtime }: PodServices): Promise<void> {
  if (endpoint === 'portForward') {
    const { sandboxId } = target
    if (!sandboxId) throw new HttpError(404, `pod ${JSON.stringify(target.pod.metadata.name)} has no running sandbox`)
    const ports = query.getAll('port').flatMap((text) => text.split(',').map(Number))
    return servePortForward(upgrade, ports, (port) => runtime.portForward(sandboxId, port))
  }
  const container = target.attempts.find((one) => one.state === 'running')
  if (!container) throw new HttpError(500, `container not found (${JSON.stringify(target.container)})`)
  const options = readRemoteCommandOptions(query)
  if (endpoint === 'attach') {
    return serveRemoteCommand(upgrade, options, async (streams) => {
      await runtime.attach(container.id, streams)
      return { exitCode: 0 }
    })
  }
  return serveRemoteCommand(upgrade, options, (streams) => runtime.exec(container.id, query.getAll('command'), streams))
}
