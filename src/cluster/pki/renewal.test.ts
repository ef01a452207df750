import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect } from 'node:tls'
import { createHttpServer } from '../../apiserver/http/http-server.ts'
import { VirtualClock } from '../../machinery/virtual-clock.ts'
import { ensurePki } from './pki.ts'
import { renewalPeriod, renewRegularly } from './renewal.ts'

const dir = await mkdtemp(join(tmpdir(), 'renewal-'))
after(() => rm(dir, { recursive: true }))

test('a server shows its renewed certificate to connections from then on', async () => {
  const clock = new VirtualClock()
  const pki = await ensurePki(dir, { clock })
  const http = createHttpServer({
    clock,
    certificate: pki.serving.certificate,
    key: pki.serving.key,
    handle: async () => ({ kind: 'bytes', status: 200, contentType: 'text/plain', bytes: 'ok' }),
  })
  const port = await http.listen({ port: 0 })
  const serial = () =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }, () => {
        resolve(socket.getPeerCertificate().serialNumber)
        socket.destroy()
      })
      socket.on('error', reject)
    })
  const number = (pem: string) => new X509Certificate(pem).serialNumber
  let renewed = false
  const end = renewRegularly({
    clock,
    shown: pki.serving,
    current: () => pki.currentServing(),
    renew(pair) {
      http.renew(pair.certificate, pair.key)
      renewed = true
    },
    failed: assert.fail,
  })
  assert.equal(await serial(), number(pki.serving.certificate))
  await clock.advance(renewalPeriod)
  assert.equal(await serial(), number(pki.serving.certificate))
  // A look reads files, which virtual time does not wait for.
  for (let days = 0; !renewed; days += 30) {
    assert.ok(days < 3000, 'renewed within the life of a certificate')
    await clock.advance(30 * 86_400_000)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.notEqual(await serial(), number(pki.serving.certificate))
  end()
  const stopped = http.stop(0)
  await clock.advance(1)
  await stopped
})
