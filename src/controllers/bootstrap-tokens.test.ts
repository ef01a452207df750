import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { bootstrapSecretName, bootstrapTokenType, clusterInfo } from '../apis/core/bootstrap-token.ts'
import type { Component } from '../client/component.ts'
import { ConfigMap, Namespace, Secret } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import { verifiesDetached } from '../machinery/detached-jws.ts'
import { bootstrapSigner } from './bootstrap-signer.ts'
import { Bench } from './testing/bench.ts'
import { tokenCleaner } from './token-cleaner.ts'

let bench: Bench
let running: Component
const secret = '0123456789abcdef'
const minute = 60_000

beforeEach(async () => {
  bench = await Bench.start()
  for (const name of ['kube-system', 'kube-public']) await bench.client.create(Namespace, { metadata: { name }, spec: {} })
  running = bench.run(bootstrapSigner, tokenCleaner)
})
afterEach(async () => {
  await running.stop()
  await bench.stop()
})

const create = (id: string, more: Record<string, string> = {}, name = bootstrapSecretName(id)) =>
  bench.client.create(Secret, {
    metadata: { name, namespace: 'kube-system' },
    type: bootstrapTokenType,
    data: Object.fromEntries(
      Object.entries({ 'token-id': id, 'token-secret': secret, 'usage-bootstrap-signing': 'true', ...more }).map(([key, value]) => [
        key,
        Buffer.from(value).toString('base64'),
      ]),
    ),
  })
const publish = (kubeconfig: string) => bench.client.create(ConfigMap, { metadata: clusterInfo, data: { kubeconfig } })
const published = async () => (await bench.client.get(ConfigMap, clusterInfo)).data ?? {}
const signers = async () =>
  Object.keys(await published())
    .filter((key) => key.startsWith('jws-kubeconfig-'))
    .map((key) => key.slice(-6))
    .sort()

test('each token that may signs what is published, and signs again what is changed', async () => {
  await create('aaaaaa')
  await create('bbbbbb', { 'usage-bootstrap-signing': 'false' })
  await create('cccccc', {}, 'of-another-name')
  await publish('first')
  await bench.settle()
  assert.deepEqual(await signers(), ['aaaaaa'])
  const first = (await published())['jws-kubeconfig-aaaaaa'] ?? ''
  assert.ok(verifiesDetached(first, 'first', 'aaaaaa', secret))
  assert.ok(!verifiesDetached(first, 'second', 'aaaaaa', secret))
  assert.ok(!verifiesDetached(first, 'first', 'bbbbbb', secret))
  assert.ok(!verifiesDetached(first, 'first', 'aaaaaa', `${secret.slice(1)}0`))
  const none = Buffer.from('{"alg":"none","kid":"aaaaaa"}').toString('base64url')
  assert.ok(!verifiesDetached(`${none}..`, 'first', 'aaaaaa', secret))
  await bench.client.patch(ConfigMap, clusterInfo, 'merge', { data: { kubeconfig: 'second' } })
  await create('dddddd')
  await bench.settle()
  assert.deepEqual(await signers(), ['aaaaaa', 'dddddd'])
  assert.ok(verifiesDetached((await published())['jws-kubeconfig-aaaaaa'] ?? '', 'second', 'aaaaaa', secret))
})

test('a token that is over goes, and its signature with it; one that was prolonged stays', async () => {
  await publish('text')
  await create('aaaaaa', { expiration: timestamp(bench.clock.now() + 10 * minute) })
  await create('bbbbbb', { expiration: timestamp(bench.clock.now() + 10 * minute) })
  await create('cccccc', { expiration: 'tomorrow, perhaps' })
  await create('dddddd')
  await bench.settle(5 * minute)
  assert.deepEqual(await signers(), ['aaaaaa', 'bbbbbb', 'dddddd'])
  const longer = Buffer.from(timestamp(bench.clock.now() + 60 * minute)).toString('base64')
  await bench.client.patch(Secret, { name: bootstrapSecretName('bbbbbb'), namespace: 'kube-system' }, 'merge', { data: { expiration: longer } })
  await bench.settle(6 * minute)
  assert.deepEqual(await signers(), ['bbbbbb', 'dddddd'])
  const left = async () => (await bench.client.list(Secret, { namespace: 'kube-system' })).items.map(({ metadata }) => metadata.name)
  assert.deepEqual(await left(), ['bootstrap-token-bbbbbb', 'bootstrap-token-dddddd'])
  await bench.settle(60 * minute)
  assert.deepEqual(await left(), ['bootstrap-token-dddddd'])
})
