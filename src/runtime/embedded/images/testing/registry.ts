/** Debian's docker-registry on the loopback, and images made by hand to put into it. For tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, connect as tcp } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { digestOf } from '../digest.ts'
import { type Compression, type Descriptor, hostPlatform, type ImageConfig, type Index, type Manifest, mediaTypes } from '../manifest.ts'
import type { TarEntry } from '../tar/entry.ts'
import { endOfArchive, padding, plainFile, tarHeader } from '../tar/write.ts'

export interface TestRegistry {
  /** `127.0.0.1:port` */
  address: string
  stop(): Promise<void>
}

/** With `locked`, user `u` and password `pw` are asked for. */
export async function startRegistry(directory: string, locked = false): Promise<TestRegistry> {
  mkdirSync(directory, { recursive: true })
  const passwords = join(directory, 'htpasswd')
  writeFileSync(passwords, 'u:$2y$05$abcdefghijklmnopqrstuuHIrMEWpUCQe2YqFR3sXwQ75u4od..9q\n')
  const config = join(directory, 'config.yml')
  const auth = locked ? `auth: {htpasswd: {realm: test, path: ${passwords}}}\n` : ''
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: info}\nstorage: {filesystem: {rootdirectory: ${directory}/data}, delete: {enabled: true}}\nhttp: {addr: "127.0.0.1:0"}\n${auth}`,
  )
  const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  const address = await new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`docker-registry ended with ${code}`)))
    createInterface({ input: child.stderr }).on('line', (line) => {
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1]
      if (port) resolve(`127.0.0.1:${port}`)
    })
  })
  return { address, stop: () => ended(child) }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill('SIGKILL')
  })
}

export const tarOf = (entries: (Partial<TarEntry> & { name: string; content?: string })[]): Buffer =>
  Buffer.concat([
    ...entries.flatMap(({ content = '', ...entry }) => {
      const bytes = Buffer.from(content)
      return [tarHeader({ ...plainFile(entry.name, bytes.length), ...entry, size: bytes.length }), bytes, padding(bytes.length)]
    }),
    endOfArchive(),
  ])

export interface PushedLayer {
  tar: Buffer
  compression: Compression
}

export class Pusher {
  readonly #base: string
  readonly #headers: Record<string, string>

  constructor(address: string, repository: string, locked = false) {
    this.#base = `http://${address}/v2/${repository}`
    this.#headers = locked ? { authorization: `Basic ${Buffer.from('u:pw').toString('base64')}` } : {}
  }

  async #ok(response: Response): Promise<Response> {
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    return response
  }

  async blob(content: Buffer): Promise<string> {
    const digest = digestOf(content)
    const begun = await this.#ok(await fetch(`${this.#base}/blobs/uploads/`, { method: 'POST', headers: this.#headers }))
    const place = new URL(begun.headers.get('location') ?? '', this.#base)
    place.searchParams.set('digest', digest)
    await this.#ok(
      await fetch(place, { method: 'PUT', headers: { ...this.#headers, 'content-type': 'application/octet-stream' }, body: new Uint8Array(content) }),
    )
    return digest
  }

  async document(tag: string, document: Manifest | Index, mediaType: string): Promise<Descriptor> {
    const content = JSON.stringify(document)
    await this.#ok(await fetch(`${this.#base}/manifests/${tag}`, { method: 'PUT', headers: { ...this.#headers, 'content-type': mediaType }, body: content }))
    return { mediaType, digest: digestOf(content), size: Buffer.byteLength(content) }
  }

  async image(tag: string, layers: PushedLayer[], config: Partial<ImageConfig> = {}): Promise<Descriptor> {
    const descriptors: Descriptor[] = []
    for (const { tar, compression } of layers) {
      const content = compression === 'gzip' ? gzipSync(tar) : compression === 'zstd' ? zstdCompressSync(tar) : tar
      const mediaType = compression === 'gzip' ? mediaTypes.layerGzip : compression === 'zstd' ? mediaTypes.layerZstd : mediaTypes.layer
      descriptors.push({ mediaType, digest: await this.blob(content), size: content.length })
    }
    const text = Buffer.from(JSON.stringify({ ...hostPlatform(), rootfs: { type: 'layers', diff_ids: layers.map(({ tar }) => digestOf(tar)) }, ...config }))
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: { mediaType: mediaTypes.config, digest: await this.blob(text), size: text.length },
      layers: descriptors,
    }
    return this.document(tag, manifest, mediaTypes.manifest)
  }
}

/** Passes connections on, and cuts each of the first `cuts` after `bytes` of the answer. */
export async function cuttingProxy(target: string, cuts: number, bytes: number): Promise<TestRegistry & { connections(): number }> {
  const [host = '', port] = target.split(':')
  let count = 0
  const server = createServer((client) => {
    const upstream = tcp(Number(port), host)
    let left = count++ < cuts ? bytes : Number.POSITIVE_INFINITY
    upstream.on('data', (chunk) => {
      client.write(chunk.subarray(0, left))
      left -= chunk.length
      if (left <= 0) {
        client.resetAndDestroy()
        upstream.destroy()
      }
    })
    client.pipe(upstream)
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    address: `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    connections: () => count,
    stop: async () => {
      server.close()
    },
  }
}

/** A registry that sends clients to a token server first, which knows user `u` with password `pw`. */
export async function tokenRegistry(target: string): Promise<TestRegistry & { scopes: string[] }> {
  const scopes: string[] = []
  const server = createHttpServer(async (request, response) => {
    const url = new URL(request.url ?? '', `http://${request.headers.host}`)
    if (url.pathname === '/token') {
      scopes.push(url.searchParams.get('scope') ?? '')
      const known = request.headers.authorization === `Basic ${Buffer.from('u:pw').toString('base64')}`
      response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' }).end(known ? '{"token":"good"}' : '{}')
    } else if (request.headers.authorization === 'Bearer good') {
      const answer = await fetch(`http://${target}${url.pathname}`, { headers: { accept: request.headers.accept ?? '' } })
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(Buffer.from(await answer.arrayBuffer()))
    } else {
      const challenge = `Bearer realm="http://${request.headers.host}/token",service="test",scope="repository:team/app:pull"`
      response.writeHead(401, { 'www-authenticate': challenge }).end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}')
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    address: `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    scopes,
    stop: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
