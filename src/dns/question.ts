import { optType } from './record.ts'

/** What matters of a query, read without building the whole message. */
export interface Question {
  id: number
  recursionDesired: boolean
  /** Lower case, without the dot at the end. */
  name: string
  type: number
  class: number
  opcode: number
  /** Where the question section ends. */
  end: number
  /** Present with EDNS0: how many bytes of UDP the client takes. */
  payloadSize: number | undefined
}

export const headerLength = 12

/** Undefined for what is no query at all (too short, an answer); `malformed` where an error can be answered. */
export function readQuestion(message: Buffer): Question | 'malformed' | undefined {
  if (message.length < headerLength) return undefined
  const flags = message.readUInt16BE(2)
  if (flags & 0x8000) return undefined
  if (message.readUInt16BE(4) !== 1) return 'malformed'
  const name = readName(message, headerLength)
  if (!name || name.end + 4 > message.length) return 'malformed'
  const question: Question = {
    id: message.readUInt16BE(0),
    recursionDesired: (flags & 0x0100) !== 0,
    name: name.text,
    type: message.readUInt16BE(name.end),
    class: message.readUInt16BE(name.end + 2),
    opcode: (flags >> 11) & 15,
    end: name.end + 4,
    payloadSize: undefined,
  }
  if (message.readUInt16BE(10) > 0) question.payloadSize = readPayloadSize(message, question.end)
  return question
}

function readName(message: Buffer, start: number): { text: string; end: number } | undefined {
  let at = start
  for (;;) {
    const length = message[at]
    // A compressed name makes no sense in the first question.
    if (length === undefined || length > 63) return undefined
    if (length === 0) break
    at += length + 1
    if (at - start > 254) return undefined
  }
  const labels: string[] = []
  for (let label = start; label < at; label += (message[label] ?? 0) + 1) {
    labels.push(message.toString('latin1', label + 1, label + 1 + (message[label] ?? 0)))
  }
  return { text: labels.join('.').toLowerCase(), end: at + 1 }
}

/** The OPT record, which a query carries as the first or only one after the question. */
function readPayloadSize(message: Buffer, start: number): number | undefined {
  if (start + 11 > message.length || message[start] !== 0 || message.readUInt16BE(start + 1) !== optType) return undefined
  return Math.max(512, message.readUInt16BE(start + 3))
}
