import { addressBytes } from './address-bytes.ts'
import { headerLength, type Question } from './question.ts'
import { type Answer, type DnsRecord, optType, rcodes, typeNumbers } from './record.ts'

/** What this server takes over UDP: fits into every usual network without fragments. */
const ownPayloadSize = 1232

/**
 * Writes answers, with names compressed against what stands before them: many an answer then fits into the 512
 * bytes of a plain client. What does not fit is left out and the answer marked as truncated, so that the client
 * asks again over TCP.
 */
export function writeAnswer(query: Buffer, question: Question, answer: Answer, limit: number, authoritative: boolean): Buffer {
  const writer = new MessageWriter(Math.min(limit, 65535) - (question.payloadSize === undefined ? 0 : 11))
  writer.question(query, question)
  let counts = [writer.records(answer.answers), 0, 0]
  const truncated = (counts[0] ?? 0) < answer.answers.length
  if (!truncated) counts = [counts[0] ?? 0, writer.records(answer.authority), writer.records(answer.additional)]
  const message = writer.finish(question.payloadSize !== undefined)
  let flags = 0x8080 | answer.rcode | (question.opcode << 11)
  if (authoritative) flags |= 0x0400
  if (truncated) flags |= 0x0200
  if (question.recursionDesired) flags |= 0x0100
  message.writeUInt16BE(question.id, 0)
  message.writeUInt16BE(flags, 2)
  message.writeUInt16BE(1, 4)
  message.writeUInt16BE(counts[0] ?? 0, 6)
  message.writeUInt16BE(counts[1] ?? 0, 8)
  message.writeUInt16BE((counts[2] ?? 0) + (question.payloadSize === undefined ? 0 : 1), 10)
  return message
}

/** An answer that says only that something is wrong with the query. */
export function writeError(query: Buffer, rcode: number): Buffer {
  const message = Buffer.alloc(headerLength)
  query.copy(message, 0, 0, 2)
  const asked = query.readUInt16BE(2)
  message.writeUInt16BE(0x8080 | (asked & 0x7900) | rcode, 2)
  return message
}

export const failure: Answer = { rcode: rcodes.serverFailure, answers: [], authority: [], additional: [] }

class MessageWriter {
  #buffer = Buffer.alloc(512)
  #length = headerLength
  readonly #limit: number
  /** Where each name that was written stands. */
  readonly #names = new Map<string, number>()

  constructor(limit: number) {
    this.#limit = limit
  }

  question(query: Buffer, { name, end }: Question): void {
    this.#room(end - headerLength)
    query.copy(this.#buffer, headerLength, headerLength, end)
    let at = headerLength
    for (let rest = name; rest !== ''; ) {
      this.#names.set(rest, at)
      const dot = rest.indexOf('.')
      at += (dot < 0 ? rest.length : dot) + 1
      rest = dot < 0 ? '' : rest.slice(dot + 1)
    }
    this.#length = end
  }

  /** Writes as many as fit; returns how many. */
  records(records: readonly DnsRecord[]): number {
    let count = 0
    for (const record of records) {
      const start = this.#length
      this.#record(record)
      if (this.#length > this.#limit) {
        this.#length = start
        for (const [name, at] of this.#names) if (at >= start) this.#names.delete(name)
        break
      }
      count++
    }
    return count
  }

  finish(withOptions: boolean): Buffer {
    if (withOptions) {
      this.#byte(0)
      this.#short(optType)
      this.#short(ownPayloadSize)
      this.#long(0)
      this.#short(0)
    }
    return this.#buffer.subarray(0, this.#length)
  }

  #record(record: DnsRecord): void {
    this.#name(record.name)
    this.#short(typeNumbers[record.type])
    this.#short(1)
    this.#long(record.ttl)
    const lengthAt = this.#length
    this.#short(0)
    this.#data(record)
    this.#buffer.writeUInt16BE(this.#length - lengthAt - 2, lengthAt)
  }

  #data(record: DnsRecord): void {
    switch (record.type) {
      case 'A':
      case 'AAAA':
        for (const byte of addressBytes(record.address) ?? []) this.#byte(byte)
        return
      case 'CNAME':
      case 'PTR':
      case 'NS':
        return this.#name(record.target)
      case 'SRV':
        this.#short(record.priority)
        this.#short(record.weight)
        this.#short(record.port)
        // RFC 2782: the target is never compressed.
        return this.#name(record.target, false)
      case 'TXT':
        this.#byte(record.text.length)
        return this.#text(record.text)
      case 'SOA':
        this.#name(record.primary)
        this.#name(record.mailbox)
        for (const value of [record.serial, record.refresh, record.retry, record.expire, record.minimum]) this.#long(value)
    }
  }

  #name(name: string, compress = true): void {
    for (let rest = name; rest !== ''; ) {
      const known = this.#names.get(rest)
      if (compress && known !== undefined) return this.#short(0xc000 | known)
      if (this.#length < 0x4000) this.#names.set(rest, this.#length)
      const dot = rest.indexOf('.')
      const label = dot < 0 ? rest : rest.slice(0, dot)
      this.#byte(label.length)
      this.#text(label)
      rest = dot < 0 ? '' : rest.slice(dot + 1)
    }
    this.#byte(0)
  }

  #text(text: string): void {
    this.#room(text.length)
    this.#length += this.#buffer.write(text, this.#length, 'latin1')
  }

  #byte(value: number): void {
    this.#room(1)
    this.#buffer[this.#length++] = value
  }

  #short(value: number): void {
    this.#room(2)
    this.#length = this.#buffer.writeUInt16BE(value, this.#length)
  }

  #long(value: number): void {
    this.#room(4)
    this.#length = this.#buffer.writeUInt32BE(value, this.#length)
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const grown = Buffer.alloc(Math.max(this.#buffer.length * 2, this.#length + bytes))
    this.#buffer.copy(grown)
    this.#buffer = grown
  }
}
