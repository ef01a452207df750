import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import { decode, encode, RECURSION_DESIRED } from 'dns-packet'
import type { Clock } from '../machinery/clock.ts'
import type { DnsMetrics } from './dns-metrics.ts'
import { readQuestion } from './question.ts'
import { type DnsRecord, rcodes, typeNumbers } from './record.ts'
import type { Way } from './responder.ts'

export interface Upstream {
  address: string
  port: number
}

export interface ForwarderOptions {
  upstreams: Upstream[]
  clock: Clock
  /** Milliseconds that one server has for its answer. */
  timeoutMs?: number
  metrics?: Pick<DnsMetrics, 'asked' | 'rejected'>
}

interface Kept {
  message: Buffer
  until: number
}

const mostKept = 10_000
const mostWaiting = 1000
/** Answers are kept for as long as they say, and at most this long. */
const longestMs = 30_000

/** Asks the servers outside, one after the other, and keeps what they said for a while. */
export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #kept = new Map<string, Kept>()
  readonly #waiting = new Map<string, Promise<Buffer | undefined>>()

  constructor(options: ForwarderOptions) {
    this.#options = options
  }

  async forward(query: Buffer, way: Way): Promise<Buffer | undefined> {
    const question = readQuestion(query)
    if (this.#options.upstreams.length === 0 || question === undefined || question === 'malformed') return undefined
    const key = `${way} ${question.name} ${question.type} ${question.payloadSize ?? 0} ${query[2]} ${query[3]}`
    const kept = this.#kept.get(key)
    if (kept && kept.until > this.#options.clock.monotonic()) return withId(kept.message, query)
    if (this.#waiting.size >= mostWaiting) {
      this.#options.metrics?.rejected.add()
      return undefined
    }
    const asked = this.#waiting.get(key) ?? this.#ask(key, query, way)
    this.#waiting.set(key, asked)
    const message = await asked.finally(() => this.#waiting.delete(key))
    return message && withId(message, query)
  }

  /** Records of a name outside, for an alias that leads there. */
  async resolve(name: string, type: number): Promise<DnsRecord[]> {
    const wanted = type === typeNumbers.AAAA ? 'AAAA' : 'A'
    if (type !== typeNumbers[wanted]) return []
    const query = encode({ type: 'query', id: this.#id(), flags: RECURSION_DESIRED, questions: [{ type: wanted, name }] })
    const message = await this.forward(Buffer.from(query), 'tcp')
    if (!message) return []
    const records: DnsRecord[] = []
    for (const answer of decode(message).answers ?? []) {
      if (answer.type === wanted) records.push({ name: answer.name.toLowerCase(), ttl: answer.ttl ?? 0, type: wanted, address: String(answer.data) })
      else if (answer.type === 'CNAME')
        records.push({ name: answer.name.toLowerCase(), ttl: answer.ttl ?? 0, type: 'CNAME', target: String(answer.data).toLowerCase() })
    }
    return records
  }

  async #ask(key: string, query: Buffer, way: Way): Promise<Buffer | undefined> {
    for (const upstream of this.#options.upstreams) {
      const id = this.#id()
      const own = Buffer.from(query)
      own.writeUInt16BE(id, 0)
      const since = this.#options.clock.monotonic()
      const message = await (way === 'udp' ? this.#overUdp(upstream, own) : this.#overTcp(upstream, own))
      this.#options.metrics?.asked(`${upstream.address}:${upstream.port}`, message, since)
      if (!message) continue
      const rcode = (message[3] ?? 0) & 15
      if (rcode === rcodes.serverFailure || rcode === rcodes.refused) continue
      this.#keep(key, message)
      return message
    }
    return undefined
  }

  /** Unpredictable enough: each question goes out from a port of its own too. */
  #id(): number {
    return Math.floor(this.#options.clock.random() * 65536)
  }

  #overUdp({ address, port }: Upstream, query: Buffer): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
      const timer = this.#options.clock.after(this.#options.timeoutMs ?? 2000, () => end(undefined))
      const end = (message: Buffer | undefined) => {
        timer.cancel()
        socket.removeAllListeners('message')
        socket.close()
        resolve(message)
      }
      socket.once('error', () => end(undefined))
      socket.on('message', (message) => {
        if (answers(message, query)) end(message)
      })
      // Connected: the kernel drops what comes from anybody else.
      socket.connect(port, address, () => socket.send(query))
    })
  }

  #overTcp({ address, port }: Upstream, query: Buffer): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      const socket = connect(port, address)
      const timer = this.#options.clock.after(this.#options.timeoutMs ?? 2000, () => end(undefined))
      let received: Buffer = Buffer.alloc(0)
      const end = (message: Buffer | undefined) => {
        timer.cancel()
        socket.destroy()
        resolve(message)
      }
      socket.once('error', () => end(undefined))
      socket.once('close', () => end(undefined))
      socket.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk])
        if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
        const message = received.subarray(2, 2 + received.readUInt16BE(0))
        end(answers(message, query) ? message : undefined)
      })
      const length = Buffer.alloc(2)
      length.writeUInt16BE(query.length)
      socket.write(Buffer.concat([length, query]))
    })
  }

  #keep(key: string, message: Buffer): void {
    const seconds = timeToKeep(message)
    if (seconds <= 0) return
    if (this.#kept.size >= mostKept) this.#kept.clear()
    this.#kept.set(key, { message, until: this.#options.clock.monotonic() + Math.min(seconds * 1000, longestMs) })
  }
}

function answers(message: Buffer, query: Buffer): boolean {
  return message.length >= 12 && message.readUInt16BE(0) === query.readUInt16BE(0) && ((message[2] ?? 0) & 0x80) !== 0
}

function withId(message: Buffer, query: Buffer): Buffer {
  const own = Buffer.from(message)
  query.copy(own, 0, 0, 2)
  return own
}

/** The shortest time that the message gives; what cannot be read is not kept. */
function timeToKeep(message: Buffer): number {
  try {
    const { answers = [], authorities = [], flag_tc } = decode(message)
    if (flag_tc) return 0
    if (answers.length > 0) return Math.min(...answers.map((answer) => ('ttl' in answer ? (answer.ttl ?? 0) : longestMs)))
    for (const record of authorities) if (record.type === 'SOA') return Math.min(record.ttl ?? 0, record.data.minimum ?? 0)
    return 0
  } catch {
    return 0
  }
}
