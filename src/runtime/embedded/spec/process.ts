/** The process: arguments, environment, directory, from the image and the pod. */
import { type ContainerConfig, RuntimeError } from '../../runtime.ts'
import type { ImageSettings } from '../images/manifest.ts'
import { capabilitiesOf } from './capabilities.ts'
import type { HostLimits } from './host-limits.ts'
import type { OciProcess } from './oci.ts'
import { rlimits } from './rlimits.ts'
import type { ProcessUser } from './user.ts'

const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** A command of the pod replaces the image's entry point and its arguments with it. */
export function argumentsOf(config: Pick<ContainerConfig, 'command' | 'args'>, image: ImageSettings): string[] {
  const entry = config.command?.length ? config.command : (image.Entrypoint ?? [])
  const rest = config.args?.length ? config.args : config.command?.length ? [] : (image.Cmd ?? [])
  const all = [...entry, ...rest]
  if (all.length === 0) throw new RuntimeError('CreateContainerError', 'no command specified')
  return all
}

export function processOf(
  config: ContainerConfig,
  { image, user, home, hostname, host }: { image: ImageSettings; user: ProcessUser; home: string; hostname: string; host: HostLimits },
): { process: OciProcess; notices: string[] } {
  const env = new Map<string, string>()
  const set = (entry: string) => env.set(entry.split('=')[0] ?? '', entry)
  set(defaultPath)
  if (hostname) set(`HOSTNAME=${hostname}`)
  if (config.tty) set('TERM=xterm')
  for (const entry of image.Env ?? []) set(entry)
  for (const { key, value } of config.envs) set(`${key}=${value}`)
  if (!env.has('HOME')) set(`HOME=${home}`)
  const { security } = config
  const { granted, refused } = capabilitiesOf(
    { privileged: security.privileged, add: security.addCapabilities, drop: security.dropCapabilities },
    host.capabilities,
  )
  const notices = refused.map((name) => `capability ${name} is not available on this host and was left out`)
  const wanted = config.resources.oomScoreAdj
  const oomScoreAdj = wanted === undefined ? undefined : Math.max(wanted, host.leastOomScoreAdj)
  if (wanted !== undefined && oomScoreAdj !== wanted && wanted >= 0) notices.push(`oom_score_adj ${wanted} is below what this host allows: ${oomScoreAdj}`)
  return {
    process: {
      terminal: config.tty,
      user,
      args: argumentsOf(config, image),
      env: [...env.values()],
      cwd: config.workingDir || image.WorkingDir || '/',
      // Inheritable capabilities stay empty: a program gets them by its file alone.
      capabilities: { bounding: granted, effective: granted, permitted: granted, inheritable: [] },
      rlimits: rlimits(host),
      noNewPrivileges: security.noNewPrivileges,
      ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }),
    },
    notices,
  }
}
