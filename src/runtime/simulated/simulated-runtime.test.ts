import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { VirtualClock } from '../../machinery/virtual-clock.ts'
import { contractScripts, runtimeContract } from '../runtime.contract.ts'
import type { CommandAnswer, SimulatedLife } from './life.ts'
import { SimulatedRuntime } from './simulated-runtime.ts'

const command = (words: string[]): CommandAnswer =>
  words[0] === 'sleep' ? { exitCode: 0, takesMs: Number(words[1]) * 1000 } : { exitCode: 4, stdout: 'out\n', stderr: 'err\n' }

const lives: Record<string, SimulatedLife> = {
  [contractScripts.forever]: { exitCode: 0, command },
  [contractScripts.deaf]: { stopMs: Number.POSITIVE_INFINITY },
  [contractScripts.succeeds]: { runMs: 10, exitCode: 0 },
  [contractScripts.fails]: { runMs: 10, exitCode: 3 },
}

runtimeContract('simulated', async () => {
  const clock = new VirtualClock()
  const directory = mkdtempSync(join(tmpdir(), 'skiff-simulated-'))
  const runtime = new SimulatedRuntime({ clock, life: (container) => lives[container.command?.at(-1) ?? ''] ?? {} })
  return {
    runtime,
    image: 'shell:1',
    directory,
    cgroupParent: '',
    tick: () => clock.advance(100),
    restart: async () => runtime,
    cleanUp: async () => rmSync(directory, { recursive: true }),
  }
})

it('repeats to the byte with the same seed', async () => {
  const run = async () => {
    const clock = new VirtualClock({ seed: 7 })
    const runtime = new SimulatedRuntime({ clock, life: () => ({ runMs: 1000, failureRate: 0.5 }) })
    const codes: (number | undefined)[] = []
    const config = { metadata: { name: 'p', uid: 'u', namespace: 'n', attempt: 0 }, labels: {}, annotations: {}, network: 'pod', logDirectory: '' } as never
    const sandbox = await runtime.runPodSandbox(config)
    for (let attempt = 0; attempt < 20; attempt++) {
      const container = { metadata: { name: 'c', attempt }, image: 'x', mounts: [], annotations: {}, labels: {}, resources: {}, security: {} } as never
      const id = await runtime.createContainer(sandbox, container, config)
      await runtime.startContainer(id)
      await clock.advance(1000)
      codes.push((await runtime.containerStatus(id))?.exitCode)
    }
    return codes
  }
  const first = await run()
  assert.deepEqual(await run(), first)
  assert.ok(first.includes(0) && first.includes(1))
})
