/** A process that starts a pod of two containers, says their ids, and waits to be killed. */
import { realClock } from '../../../machinery/real-clock.ts'
import { createEmbeddedRuntime } from '../embedded-runtime.ts'
import { nullNetwork } from '../null-network.ts'
import { Pods } from './pods.ts'

const options = JSON.parse(process.argv[2] ?? '{}')
const pods = new Pods(await createEmbeddedRuntime({ ...options, network: nullNetwork, clock: realClock }), `${options.logs}/server`)
const sandbox = pods.sandbox()
const { id: running, sandboxId } = await pods.run(['sleep', '1000'], {}, sandbox)
const config = pods.container(['sh', '-c', 'sleep 1; exit 7'], { metadata: { name: 'ending', attempt: 0 }, logPath: 'ending/0.log' })
const ending = await pods.runtime.createContainer(sandboxId, config, sandbox)
await pods.runtime.startContainer(ending)
console.log(JSON.stringify({ running, ending, sandboxId }))
setInterval(() => {}, 1000)
