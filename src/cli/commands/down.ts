import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { stopMachine } from '../../cluster/nodes/joined-machine.ts'
import { stopCluster } from '../../cluster/stop.ts'
import { UserError } from '../../cluster/user-error.ts'
import { realClock } from '../../machinery/real-clock.ts'
import type { Command } from '../command.ts'
import { dataDirOf, dataDirOption } from './data-dir.ts'

export const down: Command = {
  name: 'down',
  summary: 'Stops a cluster, or the node of a machine that joined one; its data stays unless --purge is given.',
  options: { 'data-dir': dataDirOption, purge: { type: 'boolean', help: 'remove the data directory too' } },
  async run(values) {
    const data = dataDirOf(values)
    const wasRunning = await stopCluster(data, (trouble) => console.error(`skiff: ${trouble}`))
    const wasAgent = await stopMachine(data, realClock)
    console.log(wasRunning || wasAgent ? 'stopped' : `no cluster was running over ${data.root}`)
    if (values.purge) {
      if (existsSync(data.root) && !existsSync(join(data.root, 'layout')))
        throw new UserError(`${data.root} is not a data directory of Skiff: it is left alone`)
      rmSync(data.root, { recursive: true, force: true, maxRetries: 5 })
      console.log(`removed ${data.root}`)
    }
    return 0
  },
}
