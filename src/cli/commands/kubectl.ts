import { spawn } from 'node:child_process'
import { dataDirectory, runningCluster } from '../../cluster/data-directory.ts'
import { findKubectl } from '../../cluster/kubectl.ts'
import { UserError } from '../../cluster/user-error.ts'
import type { Command } from '../command.ts'
import { dataDirOption } from './data-dir.ts'

export const kubectl: Command = {
  name: 'kubectl',
  usage: 'ARGUMENTS',
  summary: 'Runs kubectl as the administrator of the cluster.',
  options: {},
  passThrough: true,
  async run(_values, words) {
    const data = dataDirectory(String(dataDirOption.default))
    if (!runningCluster(data)) throw new UserError(`no cluster is running over ${data.root}: 'skiff up' starts one (SKIFF_DATA_DIR names another directory)`)
    const child = spawn(findKubectl(), words, { stdio: 'inherit', env: { ...process.env, KUBECONFIG: data.kubeconfig } })
    // Ctrl-C goes to both: kubectl decides.
    process.on('SIGINT', () => {})
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => resolve(code ?? 1))
    })
  },
}
