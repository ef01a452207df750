/**
 * The server, inside the cluster's namespaces: the first thing that `launcher.ts` starts there, and what its loop
 * starts again after a crash. Descriptors 3, 4 and 5 are the host's listening sockets for the API, HTTP and HTTPS; on
 * 6 it says how far it is.
 */
import { writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { createLogger, type LogLevel } from '../client/logger.ts'
import { realClock } from '../machinery/real-clock.ts'
import { pruneCompileCache } from './compile-cache.ts'
import { dataDirectory, rememberRoot } from './data-directory.ts'
import type { InsideOptions, Progress } from './launcher.ts'
import { prepareNamespaces } from './namespaces.ts'

const options = JSON.parse(process.env.SKIFF_INSIDE ?? '{}') as InsideOptions
delete process.env.SKIFF_INSIDE
const log = createLogger({ clock: realClock, write: (line) => console.log(line), level: (process.env.SKIFF_LOG as LogLevel | undefined) ?? 'info' })

function tell(progress: Progress): void {
  try {
    writeSync(6, `${JSON.stringify(progress)}\n`)
  } catch {
    // Nobody listens any more: the launcher has gone, as it does when all is ready.
  }
}

const since = () => Math.round(performance.now())

process.on('uncaughtException', (error) => {
  log.error('an error that nobody caught ends the server', { error })
  process.exit(1)
})
process.on('unhandledRejection', (error) => log.error('a promise was rejected and nobody caught it', { error }))

try {
  const data = dataDirectory(options.dataDir)
  const isThere = rememberRoot(data)
  // Nothing leads to a cluster whose directory was removed, not even `skiff down`: it would run for ever.
  const endWithDirectory = () => {
    if (isThere()) return
    log.error('the data directory was removed: the cluster ends', { directory: data.root })
    process.exit(0)
  }
  endWithDirectory()
  const prepared = prepareNamespaces(data)
  const { startServer } = await import('./server.ts')
  await prepared
  const server = await startServer({ ...options, data, log, onApiReady: () => tell({ at: 'api-ready', ms: since() }) })
  tell({ at: 'node-ready', ms: since() })
  log.info('the node is ready', { ms: since() })
  // For the next start, however this one ends.
  realClock.after(5000, () => {
    flushCompileCache()
    pruneCompileCache(realClock.now()).catch((error) => log.warn('old compiled code could not be removed', { error: String(error) }))
  })
  realClock.every(2000, endWithDirectory)
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      log.info('stopping', { signal: name })
      server.stop().then(
        () => process.exit(0),
        (error) => {
          log.error('stopping failed', { error })
          process.exit(0)
        },
      )
    })
  }
} catch (error) {
  log.error('the server did not start', { error })
  tell({ at: 'failed', message: error instanceof Error ? error.message : String(error) })
  process.exit(1)
}
