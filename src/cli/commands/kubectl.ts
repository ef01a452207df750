import { spawn } from 'node:child_process'
import { runningCluster } from '../../cluster/data-directory.ts'
import { findKubectl } from '../../cluster/kubectl.ts'
import { UserError } from '../../cluster/user-error.ts'
import type { Command } from '../command.ts'
import { dataDirOf, dataDirOption } from './data-dir.ts'

/** `--data-dir DIRECTORY`, before kubectl's own words. */
function withoutDataDir(words: string[]): { directory: string; rest: string[] } {
  const [first = '', second] = words
  if (first.startsWith('--data-dir=')) return { directory: first.slice('--data-dir='.length), rest: words.slice(1) }
  if (first === '--data-dir' && second !== undefined) return { directory: second, rest: words.slice(2) }
  return { directory: String(dataDirOption.default), rest: words }
}

export const kubectl: Command = {
  name: 'kubectl',
  usage: '[--data-dir DIRECTORY] ARGUMENTS',
  summary: 'Runs kubectl as the administrator of the cluster.',
  options: {},
  passThrough: true,
  async run(_values, words) {
    const { directory, rest } = withoutDataDir(words)
    const data = dataDirOf({ 'data-dir': directory })
    if (!runningCluster(data))
      throw new UserError(`no cluster is running over ${data.root}: 'skiff up' starts one ('skiff kubectl --data-dir DIRECTORY …' means another)`)
    const child = spawn(findKubectl(), rest, { stdio: 'inherit', env: { ...process.env, KUBECONFIG: data.kubeconfig } })
    // Ctrl-C goes to both: kubectl decides.
    process.on('SIGINT', () => {})
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => resolve(code ?? 1))
    })
  },
}
