import type { ClientRequest, IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Clock } from '../../machinery/clock.ts'
import { request as httpRequest } from '../../machinery/node-http.ts'
import { failure, type HttpProbeRequest, type ProbeResult, success } from './probe.ts'
import { connectError } from './tcp-probe.ts'

const maxRedirects = 10
const maxBody = 10 * 1024

/** Success is any status from 200 to 399; redirects on the same host are followed. Certificates are not checked. */
export async function probeHttp(clock: Clock, request: HttpProbeRequest, timeoutMs: number): Promise<ProbeResult> {
  const { scheme, host, port, path, headers } = request
  const address = host.includes(':') ? `[${host}]` : host
  // Joined, not resolved: a path may begin with two slashes.
  let url = new URL(`${scheme}://${address}:${port}${path.startsWith('/') ? '' : '/'}${path}`)
  const shown = `${scheme}://${address}:${port}${path}`
  const deadline = clock.monotonic() + timeoutMs
  for (let redirects = 0; ; redirects++) {
    let answer: { status: number; location: string | undefined }
    try {
      answer = await get(clock, url, headers, deadline - clock.monotonic())
    } catch (error) {
      const why = error instanceof TimedOut ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)' : connectError(error, host, port)
      return failure(`Get ${JSON.stringify(shown)}: ${why}`)
    }
    const { status, location } = answer
    if (status >= 300 && status < 400 && location !== undefined) {
      const next = new URL(location, url)
      if (next.hostname !== url.hostname) return success(`Probe terminated redirects, Response body: `)
      if (redirects === maxRedirects) return failure(`Get ${JSON.stringify(shown)}: stopped after 10 redirects`)
      url = next
      continue
    }
    return status >= 200 && status < 400 ? success() : { ...failure(`HTTP probe failed with statuscode: ${status}`), answered: true }
  }
}

/** What the pod says takes the place of ours; a name that it says twice is sent twice. */
function probeHeaders(wanted: HttpProbeRequest['headers']): Record<string, string | string[]> {
  const said = Map.groupBy(wanted, ({ name }) => name.toLowerCase())
  const all: Record<string, string | string[]> = { connection: 'close', 'user-agent': 'kube-probe/1.36', accept: '*/*' }
  for (const [name, same] of said) {
    const values = same.map(({ value }) => value)
    // A request has one host.
    all[name] = values.length > 1 && name !== 'host' ? values : (values[0] ?? '')
  }
  // Empty, it asks for nothing to be sent.
  for (const name of ['user-agent', 'accept']) if (all[name] === '') delete all[name]
  return all
}

class TimedOut extends Error {}

function get(clock: Clock, url: URL, headers: HttpProbeRequest['headers'], timeoutMs: number): Promise<{ status: number; location: string | undefined }> {
  return new Promise((resolve, reject) => {
    let request: ClientRequest | undefined
    const timer = clock.after(timeoutMs, () => request?.destroy(new TimedOut('timed out')))
    const fail = (error: Error) => {
      timer.cancel()
      reject(error)
    }
    const onAnswer = (answer: IncomingMessage) => {
      let length = 0
      answer.on('data', (chunk: Buffer) => {
        length += chunk.length
        if (length > maxBody) answer.destroy()
      })
      answer.on('error', () => {})
      answer.on('close', () => {
        timer.cancel()
        resolve({ status: answer.statusCode ?? 0, location: answer.headers.location })
      })
    }
    try {
      // Lines of small servers may end in a line feed alone.
      const options = { headers: probeHeaders(headers), agent: false as const, rejectUnauthorized: false, insecureHTTPParser: true }
      request = url.protocol === 'https:' ? httpsRequest(url, options, onAnswer) : httpRequest(url, options, onAnswer)
      request.on('error', fail)
      request.end()
    } catch (error) {
      fail(error as Error)
    }
  })
}
