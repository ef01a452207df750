/** One change told to many watches: how many events a second come over, and how long one takes to the last of them. */
import { ConfigMap } from '../../src/client/resources.ts'
import type { ClusterMeasure } from '../measure.ts'
import { pause, quantile } from '../statistics.ts'

const watches = 100
const changes = 200
const patienceMs = 20_000

export const watchFanOut: ClusterMeasure = {
  name: 'watch',
  needs: 'cluster',
  summary: 'one change told to a hundred watches',
  async run({ client, namespace }) {
    const stop = new AbortController()
    const { metadata } = await client.list(ConfigMap, { namespace, labelSelector: 'fan=out' })
    /** When each change was written, and how many watches have told of it. */
    const written = new Map<string, number>()
    const seen = new Map<string, number>()
    const delays: number[] = []
    let events = 0
    let done = () => {}
    const all = new Promise<void>((resolve) => {
      done = resolve
    })
    const follow = async () => {
      const options = { namespace, labelSelector: 'fan=out', resourceVersion: metadata.resourceVersion ?? '', signal: stop.signal }
      for await (const event of client.watch(ConfigMap, options)) {
        if (event.type === 'ERROR') throw new Error(event.object.message)
        const { name } = event.object.metadata
        events++
        const count = (seen.get(name) ?? 0) + 1
        seen.set(name, count)
        if (count === watches) delays.push(performance.now() - (written.get(name) ?? 0))
        if (events === watches * changes) done()
      }
    }
    const following = Array.from({ length: watches }, () => follow().catch(() => {}))
    await pause(1000)
    const started = performance.now()
    for (let number = 0; number < changes; number++) {
      const name = `fan-out-${number}`
      written.set(name, performance.now())
      await client.create(ConfigMap, { metadata: { name, namespace, labels: { fan: 'out' } }, data: { number: String(number) } })
    }
    await Promise.race([all, pause(patienceMs)])
    const seconds = (performance.now() - started) / 1000
    stop.abort(new Error('measured'))
    await Promise.all(following)
    if (events < watches * changes) throw new Error(`only ${events} of ${watches * changes} events came`)
    const how = `${watches} watches in one process, ${changes} creates one after another`
    return [
      { what: 'watch events delivered', value: events / seconds, unit: '/s', how },
      { what: 'create sent to last watch told, p50', value: quantile(delays, 0.5), unit: 'ms', how },
      { what: 'create sent to last watch told, p95', value: quantile(delays, 0.95), unit: 'ms', how },
    ]
  },
}
