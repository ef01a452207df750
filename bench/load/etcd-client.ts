/** As much of etcd's gRPC API as a measure needs: put and range, with the few fields of their messages written by hand. */
import { Client, credentials, type ServiceError } from '@grpc/grpc-js'
import { readFields } from '../../src/machinery/protobuf/wire.ts'

export interface EtcdConnection {
  ready(): Promise<void>
  put(key: string, value: Uint8Array): Promise<void>
  /** How many keys start with the prefix, read with their values. */
  range(prefix: string): Promise<number>
  close(): void
}

export function connectEtcd(address: string): EtcdConnection {
  const client = new Client(address, credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 })
  const call = (method: string, message: Buffer) =>
    new Promise<Buffer>((resolve, reject) => {
      const same = (bytes: Buffer) => bytes
      client.makeUnaryRequest(`/etcdserverpb.KV/${method}`, same, same, message, (error: ServiceError | null, answer?: Buffer) =>
        error ? reject(error) : resolve(answer ?? Buffer.alloc(0)),
      )
    })
  return {
    ready: () => new Promise((resolve, reject) => client.waitForReady(Date.now() + 10_000, (error?: Error) => (error ? reject(error) : resolve()))),
    async put(key, value) {
      await call('Put', Buffer.concat([field(1, Buffer.from(key)), field(2, value)]))
    },
    async range(prefix) {
      const end = Buffer.from(prefix)
      end[end.length - 1] = (end.at(-1) ?? 0) + 1
      const answer = await call('Range', Buffer.concat([field(1, Buffer.from(prefix)), field(2, end)]))
      let found = 0
      for (const [number] of readFields(answer)) if (number === 2) found++
      return found
    },
    close: () => client.close(),
  }
}

/** A field of bytes: its number, its length, itself. */
function field(number: number, bytes: Uint8Array): Buffer {
  const head = [(number << 3) | 2]
  let length = bytes.length
  for (; length > 0x7f; length >>>= 7) head.push((length & 0x7f) | 0x80)
  head.push(length)
  return Buffer.concat([Buffer.from(head), bytes])
}
