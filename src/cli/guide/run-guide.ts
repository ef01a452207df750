/** Runs the steps one after another, tells what happened after each, and checks every statement. */
import { realClock } from '../../machinery/real-clock.ts'
import { openTraceLog, type TraceLog } from '../../trace/trace-log.ts'
import type { GuideCluster } from './guide-cluster.ts'
import { whatHappened } from './happened.ts'
import type { GuideReport, Statement, Step, StepReport } from './step.ts'
import { manifests, steps } from './steps.ts'

/** Seconds that a statement gets to hold. Scaling waits for load that a busy machine is slow to make. */
const patience = 300

const pause = () => new Promise((resolve) => setTimeout(resolve, 50))

async function holds(statement: Statement, cluster: GuideCluster): Promise<{ statement: string; ok: boolean; seen: string }> {
  const end = performance.now() + patience * 1000
  for (;;) {
    try {
      return { statement: statement.statement, ok: true, seen: await statement.check(cluster) }
    } catch (error) {
      if (performance.now() > end) return { statement: statement.statement, ok: false, seen: error instanceof Error ? error.message : String(error) }
      await pause()
    }
  }
}

const commandOf = (step: Step) => (step.kubectl ? `kubectl ${step.kubectl.join(' ')}` : '')

async function newestRevision(cluster: GuideCluster): Promise<number> {
  const { object } = await cluster.client.raw({ method: 'GET', path: '/api/v1/namespaces', query: { limit: '1' } })
  return Number((object as { metadata?: { resourceVersion?: string } }).metadata?.resourceVersion ?? 0)
}

export async function runGuide(cluster: GuideCluster): Promise<GuideReport> {
  // The record is written by the server: it is read here from its file.
  const trace = openTraceLog(cluster.data.trace, realClock)
  const reports: StepReport[] = []
  const later: { step: number; report: StepReport; statement: Statement }[] = []
  const started = performance.now()
  let secondsToFirstPage: number | undefined
  try {
    for (const step of steps) {
      const report = await runStep(step, cluster, trace, later)
      reports.push(report)
      tell(report)
      if (step.number === 8 && report.ok) secondsToFirstPage = (performance.now() - started) / 1000
      for (const waiting of later.filter((one) => one.step === step.number)) {
        const check = await holds(waiting.statement, cluster)
        waiting.report.checks.push(check)
        waiting.report.ok &&= check.ok
        console.log(`  step ${waiting.report.number}: ${mark(check.ok)} ${check.statement}\n         ${check.seen}`)
      }
    }
  } finally {
    trace.close()
  }
  return { ok: reports.every((report) => report.ok), secondsToFirstPage, steps: reports, app: { url: `http://127.0.0.1:${cluster.httpPort}/` } }
}

async function runStep(
  step: Step,
  cluster: GuideCluster,
  trace: TraceLog,
  later: { step: number; report: StepReport; statement: Statement }[],
): Promise<StepReport> {
  console.log(`\nStep ${step.number}: ${step.title}`)
  if (step.kubectl) console.log(`  $ ${commandOf(step)}`)
  const revision = await newestRevision(cluster)
  const since = Date.now()
  const started = performance.now()
  const report: StepReport = { number: step.number, title: step.title, command: commandOf(step), ok: true, seconds: 0, happened: [], checks: [] }
  if (step.kubectl) {
    const done = await cluster.kubectl(step.kubectl.map((word) => (word.endsWith('.yaml') ? `${manifests}/${word}` : word)))
    console.log((done.stdout + done.stderr).trim().replace(/^/gm, '  '))
    report.ok = done.code === 0
  }
  const meanwhile = step.meanwhile?.(cluster)
  for (const statement of step.statements) {
    if (statement.after) later.push({ step: statement.after, report, statement })
    else report.checks.push(await holds(statement, cluster))
  }
  if (meanwhile) {
    try {
      console.log(`  ${await meanwhile.end()}`)
    } catch (error) {
      report.ok = false
      console.log(`  ${error instanceof Error ? error.message : error}`)
    }
  }
  report.ok &&= report.checks.every((check) => check.ok)
  report.seconds = Number(((performance.now() - started) / 1000).toFixed(3))
  // The record is written a tenth of a second behind.
  await new Promise((resolve) => setTimeout(resolve, 250))
  report.happened = whatHappened(trace, revision, since, Date.now())
  return report
}

const mark = (ok: boolean) => (ok ? 'yes' : 'NO ')

function tell(report: StepReport): void {
  if (report.happened.length > 0) console.log('  What happened:')
  for (const { component, what, at } of report.happened) console.log(`    ${at.slice(11, 23)}  ${component.padEnd(26)} ${what}`)
  console.log(`  What the guide says (${report.seconds.toFixed(1)} s):`)
  for (const check of report.checks) console.log(`    ${mark(check.ok)}  ${check.statement}\n         ${check.seen}`)
}
