/** From the command to an API that answers and a node that is ready: over an empty directory, and over one that was used. */
import type { Result, SkiffMeasure } from '../measure.ts'
import { down, remove, type StartTimes, temporaryDirectory, up } from '../skiff.ts'
import { median } from '../statistics.ts'

const rounds = 3

export const start: SkiffMeasure = {
  name: 'start',
  needs: 'skiff',
  summary: 'skiff up to API ready and node Ready, first and second start',
  async run() {
    const first: StartTimes[] = []
    const second: StartTimes[] = []
    for (let round = 0; round < rounds; round++) {
      const dataDir = temporaryDirectory()
      try {
        first.push(await up(dataDir))
        await down(dataDir)
        second.push(await up(dataDir))
      } finally {
        await remove(dataDir)
      }
    }
    const how = `\`skiff up\`, median of ${rounds}`
    const row = (what: string, times: StartTimes[], which: keyof StartTimes, atMost: number): Result => ({
      what,
      value: median(times.map((time) => time[which])) / 1000,
      unit: 's',
      how,
      goal: { atMost },
    })
    return [
      row('first start: API ready', first, 'apiReady', 1),
      row('first start: node Ready', first, 'nodeReady', 2),
      row('second start: API ready', second, 'apiReady', 1),
      row('second start: node Ready', second, 'nodeReady', 2),
    ]
  },
}
