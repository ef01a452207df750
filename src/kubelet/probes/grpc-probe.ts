import { connect } from 'node:http2'
import type { Clock } from '../../machinery/clock.ts'
import { failure, type ProbeResult, success } from './probe.ts'
import { connectError } from './tcp-probe.ts'

const states = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']

/** One call of `grpc.health.v1.Health/Check`: small enough to be written by hand over HTTP/2. */
export function probeGrpc(clock: Clock, host: string, port: number, service: string, timeoutMs: number): Promise<ProbeResult> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return new Promise((resolve) => {
    const session = connect(`http://${address}`)
    const end = (result: ProbeResult) => {
      timer.cancel()
      session.destroy()
      resolve(result)
    }
    const timer = clock.after(timeoutMs, () =>
      end(failure(`timeout: failed to connect service ${JSON.stringify(address)} within ${timeoutMs / 1000}s: context deadline exceeded`)),
    )
    const unconnected = (error: unknown) => end(failure(`error: failed to connect service ${JSON.stringify(address)}: ${connectError(error, host, port)}`))
    session.on('error', unconnected)
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'kube-probe/1.36',
    })
    const chunks: Buffer[] = []
    let grpcStatus: string | undefined
    let grpcMessage = ''
    const note = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] !== undefined) grpcStatus = String(headers['grpc-status'])
      if (headers['grpc-message'] !== undefined) grpcMessage = decodeURIComponent(String(headers['grpc-message']))
    }
    stream.on('response', note)
    stream.on('trailers', note)
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', (error) => {
      // It tells of the end of its connection before the connection does.
      if (error.cause) unconnected(error.cause)
      else end(failure(`error: health rpc probe failed: ${error.message}`))
    })
    stream.on('end', () => {
      if (grpcStatus === '12') return end(failure(`error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${grpcMessage}`))
      if (grpcStatus !== undefined && grpcStatus !== '0') return end(failure(`error: health rpc probe failed: ${grpcMessage}`))
      const state = servingStatus(Buffer.concat(chunks))
      end(state === 'SERVING' ? success(`service healthy`) : failure(`service unhealthy (responded with ${JSON.stringify(state)})`))
    })
    stream.end(checkRequest(service))
  })
}

/** The gRPC frame of `HealthCheckRequest { string service = 1 }`. */
function checkRequest(service: string): Buffer {
  const name = Buffer.from(service)
  const body = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name])
  const head = Buffer.alloc(5)
  head.writeUInt32BE(body.length, 1)
  return Buffer.concat([head, body])
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest > 127) {
    bytes.push((rest & 127) | 128)
    rest >>= 7
  }
  return [...bytes, rest]
}

/** `HealthCheckResponse { ServingStatus status = 1 }`; a status of 0 is not written at all. */
function servingStatus(frame: Buffer): string {
  const body = frame.subarray(5)
  return (body[0] === 0x08 ? states[body[1] ?? 0] : states[0]) ?? 'UNKNOWN'
}
