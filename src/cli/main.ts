/** `skiff`: finds the command, reads its options, and tells errors in one sentence. */
import { parseArgs } from 'node:util'
import { UserError } from '../cluster/user-error.ts'
import { type Command, helpOf, parseOptions } from './command.ts'
import { keepAlive } from './keep-alive.ts'

/** Loaded when named: `skiff status` need not read the code of the API server. */
const commands: Record<string, { summary: string; load(): Promise<Command> }> = {
  up: { summary: 'start a cluster', load: async () => (await import('./commands/up.ts')).up },
  down: { summary: 'stop it', load: async () => (await import('./commands/down.ts')).down },
  status: { summary: 'say whether it runs, and how to reach it', load: async () => (await import('./commands/status.ts')).status },
  node: { summary: 'list the nodes of this machine; stop, start, kill, cut off', load: async () => (await import('./commands/node.ts')).node },
  agent: { summary: 'join the cluster of another machine as a node', load: async () => (await import('./commands/agent.ts')).agent },
  kubectl: { summary: 'run kubectl against it', load: async () => (await import('./commands/kubectl.ts')).kubectl },
  image: { summary: 'pull, load, save, build, list and remove images', load: async () => (await import('./commands/image.ts')).image },
  token: { summary: 'make, list and remove the tokens with which machines join', load: async () => (await import('./commands/token.ts')).token },
  guide: { summary: 'deploy Flask with PostgreSQL and show what every component does', load: async () => (await import('./commands/guide.ts')).guide },
  apiserver: { summary: 'run the API server alone', load: async () => (await import('./commands/apiserver.ts')).apiserver },
  'controller-manager': { summary: 'run the controllers against any cluster', load: async () => (await import('./commands/components.ts')).controllerManager },
  scheduler: { summary: 'run the scheduler against any cluster', load: async () => (await import('./commands/components.ts')).scheduler },
  kubelet: { summary: 'run a node against any cluster', load: async () => (await import('./commands/kubelet.ts')).kubelet },
  'cluster-autoscaler': {
    summary: 'run the cluster autoscaler against any cluster, for external node pools',
    load: async () => (await import('./commands/cluster-autoscaler.ts')).clusterAutoscaler,
  },
  'metrics-server': { summary: 'run the metrics server against any cluster', load: async () => (await import('./commands/components.ts')).metricsServer },
  proxy: { summary: 'run the Service proxy against any cluster', load: async () => (await import('./commands/components.ts')).proxy },
  dns: { summary: 'run the cluster DNS against any cluster', load: async () => (await import('./commands/components.ts')).dns },
  ingress: { summary: 'run the Ingress controller against any cluster', load: async () => (await import('./commands/components.ts')).ingress },
  version: { summary: 'print the version', load: async () => (await import('./commands/version.ts')).version },
}

function help(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(20)}${summary}`)
  return ['skiff: a Kubernetes in one process', '', ...lines, '', "'skiff COMMAND --help' says more."].join('\n')
}

async function main(words: string[]): Promise<number> {
  const [name = 'help', ...rest] = words
  if (name === 'help' && rest[0] !== undefined) return main([rest[0], '--help'])
  if (['help', '--help', '-h'].includes(name)) {
    console.log(help())
    return 0
  }
  const entry = commands[name === '--version' ? 'version' : name]
  if (!entry) throw new UserError(`'${name}' is not a command: 'skiff help' lists them`)
  const command = await entry.load()
  if (command.passThrough) return (await command.run({}, rest)) ?? 0
  let parsed: ReturnType<typeof parseArgs>
  try {
    parsed = parseArgs({
      args: rest,
      options: { ...parseOptions(command), help: { type: 'boolean', short: 'h' }, ...(command.options.tag ? { tag: { type: 'string', short: 't' } } : {}) },
      allowPositionals: true,
    })
  } catch (error) {
    const [said = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
    throw new UserError(`${said.replace(/\.?( To specify.*)?$/, '')}: 'skiff ${name} --help' shows what there is`)
  }
  if (parsed.values.help) {
    console.log(helpOf(command))
    return 0
  }
  // `skiff down work` must not stop the usual cluster.
  if (command.usage === undefined && parsed.positionals.length > 0)
    throw new UserError(`'skiff ${name}' takes options alone, and '${parsed.positionals[0]}' is none: 'skiff ${name} --help' shows what there is`)
  return (await command.run(parsed.values as Record<string, string | boolean | undefined>, parsed.positionals)) ?? 0
}

/** What is left open (a pipe to a cluster that goes on, the file of a broken archive) must not hold the command up. */
async function codeOf(words: string[]): Promise<number> {
  try {
    return await main(words)
  } catch (error) {
    if (error instanceof UserError) console.error(`skiff: ${error.message}`)
    else console.error(error)
    return 1
  }
}

// Words that cannot be written (to a full disk) are no reason to leave off in the middle.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

process.exit(await keepAlive(() => codeOf(process.argv.slice(2))))
