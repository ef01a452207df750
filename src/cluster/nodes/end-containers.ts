/** Ends the containers of a node that is shut down, gently: databases close their files. */
import type { Runtime } from '../../runtime/runtime.ts'

/** Seconds that each gets after its stop signal. */
const grace = 3

export async function endContainers(runtime: Runtime): Promise<void> {
  const running = (await runtime.listContainers()).filter(({ state }) => state === 'running')
  await Promise.allSettled(running.map(({ id }) => runtime.stopContainer(id, grace)))
}
