/**
 * `npm run bench [-- --only NAME… --kubeconfig FILE --pids PID,PID --profile --write]`: measures, one after another, and
 * prints a table with the goals beside the numbers. Without a kubeconfig it starts clusters of its own and removes
 * them; with one it measures that cluster by what any API server offers.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildBusyboxImage } from '../src/runtime/embedded/build/busybox-image.ts'
import { openImageStore } from '../src/runtime/embedded/images/image-store.ts'
import { type BenchCluster, type ClusterToMeasure, openCluster, ownCluster } from './bench-cluster.ts'
import { hasWrk } from './load/run-load.ts'
import { machineFacts } from './machine.ts'
import { type AnyMeasure, CannotMeasure, type ClusterMeasure, type Result } from './measure.ts'
import { autoscalerRound } from './measures/autoscalers.ts'
import { guide } from './measures/guide.ts'
import { idle } from './measures/idle.ts'
import { list } from './measures/list.ts'
import { localNodes } from './measures/local-nodes.ts'
import { nodeDecision } from './measures/node-decision.ts'
import { creates, reads } from './measures/object-load.ts'
import { podReplacement } from './measures/pod-replacement.ts'
import { image, podStart } from './measures/pod-start.ts'
import { proxyRules } from './measures/proxy-rules.ts'
import { recording } from './measures/recording.ts'
import { scheduler } from './measures/scheduler.ts'
import { fiveThousandNodes, thousandNodes } from './measures/simulated-nodes.ts'
import { start } from './measures/start.ts'
import { store } from './measures/store.ts'
import { watchFanOut } from './measures/watch-fan-out.ts'
import { profiledLoad } from './profiled-load.ts'
import { line, markdown, type Report } from './report.ts'
import { remove, temporaryDirectory, up } from './skiff.ts'

/** In the order in which they run: what needs quiet comes before what makes noise. */
const measures: readonly AnyMeasure[] = [
  start,
  scheduler,
  guide,
  proxyRules,
  store,
  recording,
  autoscalerRound,
  nodeDecision,
  localNodes,
  idle,
  podStart,
  podReplacement,
  watchFanOut,
  reads,
  creates,
  list,
  thousandNodes,
  fiveThousandNodes,
]
const document = join(import.meta.dirname, '../docs/benchmarks.md')
/** In the document the measured part stands between these; what is written around them by hand stays. */
const marks = ['<!-- measured: written by npm run bench -->', '<!-- end of measured -->'] as const

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', multiple: true },
    kubeconfig: { type: 'string' },
    pids: { type: 'string' },
    profile: { type: 'boolean' },
    write: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
})

if (values.help) {
  console.log(`npm run bench [-- --only NAME… --kubeconfig FILE --pids PID,PID --profile --write]\n`)
  for (const { name, summary } of measures) console.log(`  ${name.padEnd(10)}${summary}`)
  process.exit(0)
}

/** `--only a --only b`, `a b`, and all when nothing is named. */
const names = [...(values.only ?? []), ...positionals]
const unknown = names.filter((name) => !measures.some((measure) => measure.name === name))
if (unknown.length > 0) {
  console.error(`bench: no measure is called ${unknown.join(', ')}: 'npm run bench -- --help' lists them`)
  process.exit(1)
}

const started = performance.now()
const report: Report = { machine: machineFacts(), results: [], missing: [], seconds: 0 }
const isAsked = ({ name, long }: AnyMeasure) => (names.length === 0 ? !long || values.write === true : names.includes(name))
const chosen = measures.filter((measure) => isAsked(measure) && (measure.needs === 'cluster' || !values.kubeconfig))

function tell(results: Result[]): void {
  for (const result of results) console.log(line(result))
  report.results.push(...results)
}

async function take({ name }: AnyMeasure, run: () => Promise<Result[]>): Promise<void> {
  try {
    tell(await run())
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    if (!(error instanceof CannotMeasure)) process.exitCode = 1
    report.missing.push({ name, why })
    console.log(`${name}: not measured: ${why}`)
  }
}

/** One of our own is fresh, with the image for Pods at hand. */
async function clusterToMeasure(): Promise<ClusterToMeasure> {
  if (values.kubeconfig) return { kubeconfig: values.kubeconfig, processes: (values.pids ?? '').split(',').filter(Boolean).map(Number), remove: async () => {} }
  const dataDir = temporaryDirectory()
  try {
    const images = join(dataDir, 'images')
    mkdirSync(images)
    await buildBusyboxImage(openImageStore(images), image)
    await up(dataDir)
    return ownCluster(dataDir)
  } catch (error) {
    await remove(dataDir)
    throw error
  }
}

async function runOnCluster(list: readonly ClusterMeasure[]): Promise<void> {
  const cluster: BenchCluster = await openCluster(await clusterToMeasure())
  try {
    for (const measure of list) await take(measure, () => measure.run(cluster))
  } finally {
    await cluster.remove()
  }
}

for (const measure of chosen) if (measure.needs === 'skiff') await take(measure, () => measure.run())
const onCluster = chosen.filter((measure): measure is ClusterMeasure => measure.needs === 'cluster')
if (onCluster.length > 0) await runOnCluster(onCluster)
if ((values.profile || values.write) && !values.kubeconfig && hasWrk()) {
  report.profile = await profiledLoad()
  for (const { what, shares } of report.profile) {
    console.log(`\n${what}`)
    for (const { share, where } of shares) console.log(`${(share * 100).toFixed(1).padStart(6)} %  ${where}`)
  }
}
report.seconds = (performance.now() - started) / 1000
console.log(`\nmeasured in ${Math.round(report.seconds)} s`)
if (values.write) {
  const text = readFileSync(document, 'utf8')
  const [begin, end] = marks
  if (!text.includes(begin) || !text.includes(end)) throw new Error(`${document} lacks its marks ${begin} and ${end}`)
  writeFileSync(document, `${text.slice(0, text.indexOf(begin))}${begin}\n\n${markdown(report)}\n${text.slice(text.indexOf(end))}`)
  console.log(`written to ${document}`)
}
