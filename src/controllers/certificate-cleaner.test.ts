import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CertificateSigningRequest } from '../client/resources.ts'
import { certificateCleaner } from './certificate-cleaner.ts'
import { Bench } from './testing/bench.ts'

const hour = 3_600_000
const request = Buffer.from('-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n').toString('base64')

test('requests go an hour after they were decided, and after a day if nobody did', async () => {
  const bench = await Bench.start()
  const running = bench.run(certificateCleaner)
  const create = (name: string) =>
    bench.client.create(CertificateSigningRequest, { metadata: { name }, spec: { request, signerName: 'example.com/own', usages: ['client auth'] } })
  const decide = async (name: string, type: string) => {
    const stored = await bench.client.get(CertificateSigningRequest, { name })
    const body = { ...stored, status: { conditions: [{ type, status: 'True' }] } }
    await bench.client.subresource(CertificateSigningRequest, { name }, 'approval', 'update', body)
  }
  const names = async () => (await bench.client.list(CertificateSigningRequest)).items.map(({ metadata }) => metadata.name)
  for (const name of ['approved-late', 'denied', 'undecided']) await create(name)
  await decide('denied', 'Denied')
  await bench.settle(1.5 * hour)
  assert.deepEqual(await names(), ['approved-late', 'undecided'])
  await bench.settle(20 * hour)
  await decide('approved-late', 'Approved')
  await bench.settle(0.9 * hour)
  assert.deepEqual(await names(), ['approved-late', 'undecided'])
  await bench.settle(0.2 * hour)
  assert.deepEqual(await names(), ['undecided'])
  await bench.settle(2 * hour)
  assert.deepEqual(await names(), [])
  await running.stop()
  await bench.stop()
})
