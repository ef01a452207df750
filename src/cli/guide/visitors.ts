/**
 * Visitors who read the notes, one page after another; none may be sent away while Pods come and go. They come one by
 * one while answers are quick, and leave while they are slow: how many a machine can serve at all is not the question.
 */
import { expect, host } from './checks.ts'
import type { GuideCluster } from './guide-cluster.ts'

const most = 6
const lookMs = 250
/** Of the slowest answer since the last look. */
const [quickMs, slowMs] = [100, 400]

export function visitors(cluster: GuideCluster): { end(): Promise<string> } {
  /** Who is there, by place; who is no longer welcome leaves with the answer. */
  const visits = new Map<number, Promise<void>>()
  const failures: string[] = []
  let answered = 0
  let welcome = 0
  let slowestMs: number | undefined

  const visit = async (place: number) => {
    while (place < welcome) {
      const asked = performance.now()
      try {
        const { status, body } = await cluster.http(host, '/api/notes')
        if (status === 200) answered++
        else failures.push(`${status} ${body.slice(0, 100)}`)
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error))
      }
      slowestMs = Math.max(slowestMs ?? 0, performance.now() - asked)
    }
    visits.delete(place)
  }
  const invite = () => {
    const place = welcome++
    if (!visits.has(place)) visits.set(place, visit(place))
  }
  const look = () => {
    if (slowestMs === undefined) return
    if (slowestMs <= quickMs && welcome < most) invite()
    else if (slowestMs > slowMs && welcome > 1) welcome--
    slowestMs = undefined
  }
  invite()
  const looking = setInterval(look, lookMs)
  return {
    async end() {
      clearInterval(looking)
      welcome = 0
      await Promise.all(visits.values())
      expect(failures.length === 0, `of ${answered + failures.length} requests, ${failures.length} failed: ${failures[0]}`)
      return `Visitors asked ${answered} times meanwhile, and none was sent away.`
    },
  }
}
