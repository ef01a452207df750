/** Resource records of the cluster's zone. Names are lower case, without the dot at the end. */
export type RecordData =
  | { type: 'A'; address: string }
  | { type: 'AAAA'; address: string }
  | { type: 'CNAME'; target: string }
  | { type: 'PTR'; target: string }
  | { type: 'NS'; target: string }
  | { type: 'SRV'; priority: number; weight: number; port: number; target: string }
  | { type: 'TXT'; text: string }
  | { type: 'SOA'; primary: string; mailbox: string; serial: number; refresh: number; retry: number; expire: number; minimum: number }

export type DnsRecord = RecordData & { name: string; ttl: number }
export type RecordType = RecordData['type']

export const typeNumbers: Record<RecordType, number> = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33 }
export const anyType = 255
export const optType = 41

export const rcodes = { noError: 0, formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4, refused: 5 } as const
export type Rcode = (typeof rcodes)[keyof typeof rcodes]

/** What the zone says to a question. */
export interface Answer {
  rcode: Rcode
  answers: DnsRecord[]
  authority: DnsRecord[]
  additional: DnsRecord[]
  /** A name outside the zone where the chain of aliases goes on. */
  continueAt?: string
}
