/** The guide as data: each step with its command and the statements that it makes, each with how it is checked. */
import type { GuideCluster } from './guide-cluster.ts'

export interface Statement {
  statement: string
  /**
   * Resolves when it holds, with a few words on what was seen; throws with what was seen instead. Asked again until
   * it holds or the step's time is over, since the cluster needs a moment.
   */
  check(cluster: GuideCluster): Promise<string>
  /** Can hold only after this later step (a Service that is made then). */
  after?: number
}

export interface Step {
  number: number
  title: string
  /** Words for kubectl; none for a step that only looks. */
  kubectl: string[] | undefined
  statements: Statement[]
  /** Goes on from the step's start until its statements are checked; `end` throws when something of it went wrong. */
  meanwhile?(cluster: GuideCluster): { end(): Promise<string> }
}

export interface Happened {
  component: string
  what: string
  /** RFC 3339 with milliseconds. */
  at: string
}

export interface StepReport {
  number: number
  title: string
  command: string
  ok: boolean
  /** From the command's start until every statement that can hold at once did. */
  seconds: number
  happened: Happened[]
  checks: { statement: string; ok: boolean; seen: string }[]
}

export interface GuideReport {
  ok: boolean
  /** From the first command of the guide to the first page out of the database. */
  secondsToFirstPage: number | undefined
  steps: StepReport[]
  app: { url: string }
}
