/** Bodies in protobuf, as typed Go clients send them, become JSON at the door: nothing behind it knows of them. */
import { badRequest } from '../../machinery/errors.ts'
import { type ProtobufDecoder, protobufMediaType } from '../../machinery/protobuf/decode-protobuf.ts'
import type { ApiRequest } from '../request.ts'
import { mediaType } from './body.ts'

/** The request itself; one with a protobuf body reads as JSON from now on. */
export function protobufAsJson(request: ApiRequest, decoder: ProtobufDecoder): ApiRequest {
  const read = request.readBody?.bind(request)
  if (!read || mediaType(request) !== protobufMediaType) return request
  request.headers['content-type'] = 'application/json'
  request.readBody = async () => {
    const bytes = await read()
    if (bytes.byteLength === 0) return bytes
    try {
      return Buffer.from(JSON.stringify(decoder.decode(bytes)))
    } catch (error) {
      throw badRequest(error instanceof Error ? error.message : String(error))
    }
  }
  return request
}
