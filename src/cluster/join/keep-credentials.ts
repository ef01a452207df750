/**
 * Keeps a node's certificates good for as long as it runs: each is asked for anew when 70 to 90 % of its life are over,
 * a different moment for each node, and handed to whoever shows it. What was asked for is on disk before it is used.
 */
import { X509Certificate } from 'node:crypto'
import { createClient } from '../../client/api-client.ts'
import type { Logger } from '../../client/component.ts'
import type { HttpTransport } from '../../client/http-transport.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { KeyPair } from '../pki/certificate-authority.ts'
import { type NodeCredentials, writeClientPair, writeServingPair } from './credential-files.ts'
import { requestClientCertificate, requestServingCertificate } from './request-certificate.ts'

export interface KeepOptions {
  nodeName: string
  credentials: NodeCredentials
  /** Where they are kept. */
  directory: string
  /** The node's connection to the API server: it asks with it, and is given the new client certificate. */
  transport: HttpTransport
  serving: {
    /** What the kubelet's server shows now; absent: nothing that is signed, and one is asked for at once. */
    shown: KeyPair | undefined
    addresses: string[]
    dnsNames?: string[]
    renew(pair: KeyPair): void
  }
  /** Told what is shown, and what could not be renewed. */
  certificates?: { shows(use: 'client' | 'server', certificate: string): void; notRenewed(use: 'client' | 'server'): void } | undefined
  clock: Clock
  log: Logger
}

const firstRetryMs = 5000
const longestRetryMs = 10 * 60_000
/** Timers are not good for more than some weeks, and the host's clock may be set: the time is looked at again. */
const longestWaitMs = 3_600_000

/** When a certificate is to be followed by another. */
export function renewalTime(certificate: string, chance: number): number {
  const { validFromDate, validToDate } = new X509Certificate(certificate)
  const from = validFromDate.getTime()
  return from + (validToDate.getTime() - from) * (0.7 + 0.2 * chance)
}

/** Returns what ends it. */
export function keepCredentials(options: KeepOptions): () => void {
  const { nodeName, credentials, directory, transport, serving, certificates, clock, log } = options
  const stopped = new AbortController()
  const { signal } = stopped
  const client = createClient(transport, { userAgent: `skiff-agent/${nodeName}` })
  const asking = { client, nodeName, clock, signal }

  async function keep(
    what: 'client' | 'serving',
    shown: KeyPair | undefined,
    next: () => Promise<KeyPair>,
    use: (pair: KeyPair) => Promise<void>,
  ): Promise<void> {
    const kind = what === 'client' ? 'client' : 'server'
    if (shown) certificates?.shows(kind, shown.certificate)
    let due = shown ? renewalTime(shown.certificate, clock.random()) : clock.now()
    for (let retry = firstRetryMs; ; ) {
      while (clock.now() < due) await clock.sleep(Math.min(due - clock.now(), longestWaitMs), signal)
      try {
        const pair = await next()
        await use(pair)
        certificates?.shows(kind, pair.certificate)
        log.info(`the node has a new ${what} certificate`, { until: new X509Certificate(pair.certificate).validTo })
        due = renewalTime(pair.certificate, clock.random())
        retry = firstRetryMs
      } catch (error) {
        if (signal.aborted) return
        certificates?.notRenewed(kind)
        log.warn(`the node's ${what} certificate could not be renewed`, {
          error: error instanceof Error ? error.message : String(error),
          again: `${retry / 1000}s`,
        })
        await clock.sleep(retry * (0.5 + clock.random()), signal)
        retry = Math.min(retry * 2, longestRetryMs)
      }
    }
  }
  const unlessStopped = (error: unknown) => {
    if (!signal.aborted) throw error
  }
  keep(
    'client',
    credentials.client,
    () => requestClientCertificate(asking),
    async (pair) => {
      await writeClientPair(directory, pair)
      transport.renewCertificate(pair.certificate, pair.key)
    },
  ).catch(unlessStopped)
  const { addresses, dnsNames } = serving
  keep(
    'serving',
    serving.shown,
    () => requestServingCertificate({ ...asking, addresses, ...(dnsNames ? { dnsNames } : {}) }),
    async (pair) => {
      await writeServingPair(directory, pair)
      serving.renew(pair)
    },
  ).catch(unlessStopped)
  return () => stopped.abort(new Error('the agent was stopped'))
}
