// A registry of one image, `slow:1`, whose layer comes in drops; it is the container's own busybox.
const { createHash } = require('node:crypto')
const { readFileSync } = require('node:fs')
const { createServer } = require('node:http')
const { gzipSync } = require('node:zlib')

const digest = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const block = (name, mode, type, size, link = '') => {
  const header = Buffer.alloc(512)
  header.write(name, 0)
  header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  header.write('00000000000\0', 136)
  header.write('        ', 148)
  header.write(type, 156)
  header.write(link, 157)
  header.write('ustar\x0000', 257)
  header.write(
    `${[...header]
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  )
  return header
}
const busybox = readFileSync('/bin/busybox')
const tar = Buffer.concat([
  block('bin/', 0o755, '5', 0),
  block('bin/busybox', 0o755, '0', busybox.length),
  busybox,
  Buffer.alloc((512 - (busybox.length % 512)) % 512),
  block('bin/sh', 0o777, '2', 0, 'busybox'),
  block('bin/sleep', 0o777, '2', 0, 'busybox'),
  Buffer.alloc(1024),
])
const layer = gzipSync(tar)
const config = Buffer.from(
  JSON.stringify({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: [digest(tar)] },
  }),
)
const types = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
}
const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, digest: digest(config), size: config.length },
    layers: [{ mediaType: types.layer, digest: digest(layer), size: layer.length }],
  }),
)

createServer(async (request, response) => {
  const path = request.url ?? ''
  if (path.startsWith('/v2/slow/manifests/')) {
    response.writeHead(200, { 'content-type': types.manifest, 'content-length': manifest.length, 'docker-content-digest': digest(manifest) })
    return response.end(request.method === 'HEAD' ? undefined : manifest)
  }
  if (path.endsWith(digest(config))) return response.end(config)
  if (path.endsWith(digest(layer))) {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    console.log(`layer from ${from}`)
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': layer.length - from,
      ...(from > 0 ? { 'content-range': `bytes ${from}-${layer.length - 1}/${layer.length}` } : {}),
    })
    for (let at = from; at < layer.length && !response.destroyed; at += 100_000) {
      response.write(layer.subarray(at, at + 100_000))
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    return response.end()
  }
  if (path === '/v2/') return response.end('{}')
  response.writeHead(404).end()
}).listen(5000, '127.0.0.1', () => console.log('listening'))
