import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { ApiError, notFound } from '../machinery/errors.ts'
import { createClient } from './api-client.ts'
import { ConnectionError } from './connection-error.ts'
import { createHttpTransport } from './http-transport.ts'
import { ConfigMap } from './resources.ts'
import { causeHeader } from './transport.ts'

async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const transport = createHttpTransport({ server: `http://127.0.0.1:${port}`, authorization: () => 'Bearer t' })
  const close = async () => {
    transport.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { transport, client: createClient(transport, { userAgent: 'test/1' }), close }
}

test('sends what the server needs to know, the cause too', async () => {
  const seen: (string | undefined)[] = []
  const { client, close } = await serve((request, response) => {
    seen.push(request.method, request.url, request.headers.authorization, request.headers['user-agent'], request.headers[causeHeader] as string)
    response.writeHead(201, { 'content-type': 'application/json' }).end('{"metadata":{"name":"a"}}')
  })
  const caused = client.because({ component: 'test', seen: [4], spans: [{ name: 'ä', start: 1, end: 2 }] })
  await caused.create(ConfigMap, { metadata: { namespace: 'x', name: 'a' } }, { fieldManager: 'me' })
  assert.deepEqual(seen.slice(0, 4), ['POST', '/api/v1/namespaces/x/configmaps?fieldManager=me', 'Bearer t', 'test/1'])
  assert.deepEqual(JSON.parse(seen[4] ?? ''), { component: 'test', seen: [4], spans: [{ name: 'ä', start: 1, end: 2 }] })
  await close()
})

test('a failure Status is thrown, and so is an answer that is none', async () => {
  let plain = false
  const { client, close } = await serve((_request, response) => {
    if (plain) response.writeHead(502, { 'content-type': 'text/plain' }).end('bad gateway')
    else response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify(notFound({ resource: 'configmaps', name: 'a' }).status))
  })
  const at = { namespace: 'x', name: 'a' }
  await assert.rejects(client.get(ConfigMap, at), (error: ApiError) => error.reason === 'NotFound' && error.message === 'configmaps "a" not found')
  assert.equal(await client.find(ConfigMap, at), undefined)
  plain = true
  await assert.rejects(client.get(ConfigMap, at), (error: ApiError) => error instanceof ApiError && error.code === 502 && error.message === 'bad gateway')
  await close()
})

test('a watch is decoded as it comes, however it is cut', async () => {
  const text = Array.from({ length: 5 }, (_, i) => JSON.stringify({ type: 'ADDED', object: { metadata: { name: `ü${i}` } } })).join('\n')
  const bytes = Buffer.from(`${text}\n`)
  const { client, close } = await serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    let at = 0
    const more = () => {
      if (at >= bytes.length) return response.end()
      response.write(bytes.subarray(at, at + 7))
      at += 7
      setImmediate(more)
    }
    more()
  })
  const names: string[] = []
  for await (const event of client.watch(ConfigMap, {})) if (event.type === 'ADDED') names.push(event.object.metadata.name)
  assert.deepEqual(names, ['ü0', 'ü1', 'ü2', 'ü3', 'ü4'])
  await close()
})

test('an aborted watch ends, and its connection with it', async () => {
  let closed = false
  const { client, close } = await serve((request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write('{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"1"}}}\n')
    request.on('close', () => {
      closed = true
    })
  })
  const abort = new AbortController()
  let count = 0
  for await (const _ of client.watch(ConfigMap, { signal: abort.signal })) {
    count++
    abort.abort()
  }
  assert.equal(count, 1)
  while (!closed) await new Promise((resolve) => setImmediate(resolve))
  await close()
})

test('no server: an error that says so', async () => {
  const { transport, client, close } = await serve(() => {})
  await close()
  await assert.rejects(client.list(ConfigMap), (error: ConnectionError) => error instanceof ConnectionError && error.code === 'ECONNREFUSED')
  transport.close()
})

test('a connection that breaks within a watch is told', async () => {
  const { client, close } = await serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write('{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"1"}}}\n{"type":"ADD')
    setImmediate(() => response.destroy())
  })
  const read = async () => {
    for await (const _ of client.watch(ConfigMap, {}));
  }
  await assert.rejects(read(), (error: ConnectionError) => error instanceof ConnectionError)
  await close()
})
