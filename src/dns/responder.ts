import type { DnsMetrics } from './dns-metrics.ts'
import { failure, writeAnswer, writeError } from './message-writer.ts'
import { headerLength, type Question, readQuestion } from './question.ts'
import { type Answer, type DnsRecord, rcodes } from './record.ts'
import type { Zone } from './zone.ts'

/** How a message came: over UDP an answer has a limit. */
export type Way = 'udp' | 'tcp'

/** Asks a server outside; undefined when there is none or none answered. */
export type Forward = (query: Buffer, way: Way) => Promise<Buffer | undefined>

export interface ResponderOptions {
  zone: Zone
  forward: Forward
  /** Looks up a name outside, where a Service's alias leads to. */
  resolveOutside(name: string, type: number): Promise<DnsRecord[]>
  metrics?: DnsMetrics
}

interface Prepared {
  /** The same answer with its addresses in different orders, so that clients who take the first spread out. */
  turns: (Buffer | undefined)[]
  next: number
  answer: Answer
}

const plainLimit = 512
const mostTurns = 8
const mostPrepared = 20_000

/** From the bytes of a query to the bytes of its answer. Answers of the zone are written once and then copied. */
export class Responder {
  readonly #options: ResponderOptions
  readonly #prepared = new Map<string, Prepared>()

  constructor(options: ResponderOptions) {
    this.#options = options
    options.metrics?.follow(() => this.#prepared.size)
  }

  /** To be called when the zone has changed. */
  changed(): void {
    this.#prepared.clear()
  }

  /** Undefined: nothing is to be answered. Never throws for what the message holds. */
  respond(query: Buffer, way: Way): Buffer | undefined | Promise<Buffer | undefined> {
    const question = readQuestion(query)
    if (question === undefined) return undefined
    const { metrics } = this.#options
    const since = metrics?.now() ?? 0
    const answer = question === 'malformed' ? writeError(query, rcodes.formatError) : this.#respond(query, question, way)
    const type = question === 'malformed' ? undefined : question.type
    if (!(answer instanceof Promise)) {
      metrics?.answered(query, answer, way, type, false, since)
      return answer
    }
    return answer.then((message) => {
      if (message) metrics?.answered(query, message, way, type, true, since)
      return message
    })
  }

  #respond(query: Buffer, question: Question, way: Way): Buffer | Promise<Buffer | undefined> {
    if (question.opcode !== 0) return writeError(query, rcodes.notImplemented)
    if (question.class !== 1) return writeError(query, rcodes.refused)
    const limit = way === 'tcp' ? 65535 : (question.payloadSize ?? plainLimit)
    const key = `${question.name} ${question.type} ${limit} ${question.payloadSize === undefined ? '' : 'e'}`
    const prepared = this.#prepared.get(key)
    if (prepared) {
      this.#options.metrics?.hits.add()
      return this.#turn(prepared, query, question, limit)
    }
    const answer = this.#options.zone.answer(question.name, question.type)
    if (!answer) return this.#forward(query, question, way)
    if (answer.continueAt !== undefined) return this.#follow(query, question, answer, limit)
    this.#options.metrics?.misses.add()
    const fresh: Prepared = { turns: Array.from({ length: Math.min(Math.max(addressCount(answer), 1), mostTurns) }), next: 0, answer }
    if (this.#prepared.size >= mostPrepared) this.#prepared.clear()
    this.#prepared.set(key, fresh)
    return this.#turn(fresh, query, question, limit)
  }

  #turn(prepared: Prepared, query: Buffer, question: Question, limit: number): Buffer {
    const turn = prepared.next
    prepared.next = (turn + 1) % prepared.turns.length
    const ready = prepared.turns[turn]
    if (!ready) {
      const { answer } = prepared
      const step = Math.floor((turn * answer.answers.length) / prepared.turns.length)
      const turned = step === 0 ? answer : { ...answer, answers: [...answer.answers.slice(step), ...answer.answers.slice(0, step)] }
      const written = writeAnswer(query, question, turned, limit, true)
      prepared.turns[turn] = written
      return Buffer.from(written)
    }
    const message = Buffer.from(ready)
    // Identity, the wish for recursion and the spelling of the name are this query's own.
    query.copy(message, 0, 0, 2)
    message[2] = ((message[2] ?? 0) & 0xfe) | (question.recursionDesired ? 1 : 0)
    query.copy(message, headerLength, headerLength, question.end)
    return message
  }

  async #forward(query: Buffer, question: Question, way: Way): Promise<Buffer | undefined> {
    const answer = await this.#options.forward(query, way)
    return answer ?? writeAnswer(query, question, failure, plainLimit, false)
  }

  /** A Service's alias for a name outside: what lies there is part of the answer. */
  async #follow(query: Buffer, question: Question, answer: Answer, limit: number): Promise<Buffer> {
    const records = await this.#options.resolveOutside(answer.continueAt ?? '', question.type)
    return writeAnswer(query, question, { ...answer, answers: [...answer.answers, ...records] }, limit, true)
  }
}

/** Only plain lists of addresses are turned: an alias must stay in front of what it leads to. */
function addressCount({ answers }: Answer): number {
  return answers.every(({ type }) => type === 'A' || type === 'AAAA') ? answers.length : 1
}
