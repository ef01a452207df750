import { writeFileSync } from 'node:fs'
import { dataDirectory, forgetAllButImages, prepareDataDirectory, runningCluster } from '../../cluster/data-directory.ts'
import { ensureExampleImages } from '../../cluster/example-images.ts'
import { launch } from '../../cluster/launcher.ts'
import { checkRequirements } from '../../cluster/requirements.ts'
import { stopCluster } from '../../cluster/stop.ts'
import type { Command } from '../command.ts'
import { openGuideCluster } from '../guide/guide-cluster.ts'
import { runGuide } from '../guide/run-guide.ts'
import { port } from '../numbers.ts'
import { dataDirOf } from './data-dir.ts'

export const guide: Command = {
  name: 'guide',
  summary: 'Deploys Flask with PostgreSQL step by step, on a fresh cluster, and shows what every component does.',
  options: {
    exit: { type: 'boolean', help: 'check every statement, then stop the cluster and end: exit code 0 only if all hold' },
    report: { type: 'string', value: 'FILE', help: 'write what was seen as JSON' },
    'data-dir': { type: 'string', value: 'DIRECTORY', default: '/var/lib/skiff-guide', help: 'where the cluster and the images are kept' },
    'api-port': { type: 'string', value: 'PORT', default: '0', help: 'of the API, on 127.0.0.1; 0 takes any free one' },
    'http-port': { type: 'string', value: 'PORT', default: '8080', help: 'of the Ingress, on 127.0.0.1' },
    'https-port': { type: 'string', value: 'PORT', default: '0', help: 'of the Ingress with TLS, on 127.0.0.1' },
  },
  async run(values) {
    checkRequirements()
    const started = performance.now()
    const directory = dataDirOf(values).root
    await stopCluster(dataDirectory(directory))
    const data = prepareDataDirectory(directory)
    // Every run tells the whole story: only the images are kept from the last one.
    forgetAllButImages(data)
    prepareDataDirectory(directory)

    console.log('Images (built from Debian packages the first time, which takes a minute or two)')
    await ensureExampleImages(data.images, (line) => console.log(`  ${line}`))
    const interrupt = () => void stopCluster(data).then(() => process.exit(130))
    process.once('SIGINT', interrupt)
    const options = {
      apiPort: port(values['api-port'], '--api-port'),
      httpPort: port(values['http-port'], '--http-port'),
      httpsPort: port(values['https-port'], '--https-port'),
    }
    console.log('\nCluster')
    // Room for the guide's Pods until they are scaled: then its NodePool is needed, on a large machine too.
    const nodeCapacity = { cpu: '550m' }
    const running = await launch({ data, ...options, nodeCapacity, egress: 'off', context: 'skiff-guide', kubeconfig: data.kubeconfig }, (progress) => {
      if (progress.at === 'api-ready') console.log(`  the API is ready after ${progress.ms} ms`)
      if (progress.at === 'node-ready') console.log(`  the node is ready after ${progress.ms} ms`)
    })
    const cluster = openGuideCluster(data, running)
    try {
      const report = await runGuide(cluster)
      if (typeof values.report === 'string') writeFileSync(values.report, `${JSON.stringify(report, null, 2)}\n`)
      const failed = report.steps.flatMap((step) =>
        step.checks.filter((check) => !check.ok).map((check) => `step ${step.number}: ${check.statement}\n    ${check.seen}`),
      )
      const total = report.steps.reduce((sum, step) => sum + step.checks.length, 0)
      console.log(`\n${total - failed.length} of ${total} statements hold; the whole took ${((performance.now() - started) / 1000).toFixed(1)} s`)
      if (report.secondsToFirstPage !== undefined)
        console.log(`from the first command to the first page out of the database: ${report.secondsToFirstPage.toFixed(1)} s`)
      for (const one of failed) console.log(`does not hold: ${one}`)
      if (!values.exit && runningCluster(data)) {
        console.log(`\nThe cluster goes on. Try:
  curl -H 'Host: app.example.com' ${report.app.url}
  export KUBECONFIG=${data.kubeconfig}; bin/skiff kubectl get pods -n flask-postgres-app   (or your own kubectl)
  bin/skiff down --data-dir ${data.root}`)
      }
      return report.ok ? 0 : 1
    } finally {
      cluster.close()
      process.off('SIGINT', interrupt)
      if (values.exit) await stopCluster(data)
    }
  },
}
