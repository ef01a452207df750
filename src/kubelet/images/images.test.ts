import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { silentLogger } from '../../client/logger.ts'
import type { V1Secret } from '../../machinery/schema/generated/types.ts'
import { VirtualClock } from '../../machinery/virtual-clock.ts'
import { SimulatedRuntime } from '../../runtime/simulated/simulated-runtime.ts'
import { KubeletEvents } from '../events.ts'
import { ImageCollector } from './image-collector.ts'
import { ImageManager } from './image-manager.ts'
import { referenceError, registryOf, withDefaultTag } from './image-reference.ts'
import { credentialsFor } from './pull-secrets.ts'

describe('image references', () => {
  for (const [image, expected] of [
    ['busybox', 'busybox:latest'],
    ['busybox:1', 'busybox:1'],
    ['localhost:5000/a/b', 'localhost:5000/a/b:latest'],
    ['Registry.example.com/a:v1', 'Registry.example.com/a:v1'],
    [`a@sha256:${'0'.repeat(64)}`, `a@sha256:${'0'.repeat(64)}`],
    ['Upper', undefined],
    ['a b', undefined],
    ['', undefined],
    ['a::b', undefined],
  ] as const)
    it(`${image} is ${expected}`, () => assert.equal(withDefaultTag(image), expected))
  it('say what is wrong', () => {
    assert.equal(referenceError('Upper'), 'couldn\'t parse image name "Upper": invalid reference format: repository name must be lowercase')
    assert.equal(referenceError('a::b'), 'couldn\'t parse image name "a::b": invalid reference format')
  })
  it('name a registry', () => {
    assert.deepEqual(['a', 'a/b', 'a.io/b', 'localhost/b', 'a:1/b'].map(registryOf), ['docker.io', 'docker.io', 'a.io', 'localhost', 'a:1'])
  })
})

describe('pull secrets', () => {
  const secret = (auths: object): V1Secret =>
    ({ metadata: {}, data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') } }) as unknown as V1Secret
  const one = secret({
    'https://index.docker.io/v1/': { auth: Buffer.from('hub:a:b').toString('base64') },
    'registry.example.com': { username: 'u', password: 'p' },
    'registry.example.com/team': { username: 'team', password: 'p' },
    '*.wild.io': { registrytoken: 't' },
  })
  for (const [image, expected] of [
    ['busybox:1', [{ username: 'hub', password: 'a:b' }]],
    ['registry.example.com/x:1', [{ username: 'u', password: 'p' }]],
    [
      'registry.example.com/team/x:1',
      [
        { username: 'team', password: 'p' },
        { username: 'u', password: 'p' },
      ],
    ],
    ['a.wild.io/x', [{ registryToken: 't' }]],
    ['elsewhere.io/x', []],
  ] as const)
    it(image, () => assert.deepEqual(credentialsFor(image, [one]), expected))
})

it('images that nobody uses go, the longest unused first, until enough is free', async () => {
  const clock = new VirtualClock()
  const gibibyte = 2 ** 30
  const runtime = new SimulatedRuntime({ clock, pull: () => ({ size: 30 * gibibyte }) })
  const events = new KubeletEvents({ event() {}, async flush() {}, stop() {} }, 'node')
  const images = new ImageManager({ runtime, clock, events, parallelPulls: 1 })
  const collector = new ImageCollector({ runtime, clock, log: silentLogger, events, images })
  for (const name of ['old:1', 'new:1', 'used:1']) {
    images.lastUsed.set(await runtime.pullImage(name, undefined), clock.now())
    await clock.advance(1000)
  }
  const config = { metadata: { name: 'p', uid: 'u', namespace: 'n', attempt: 0 }, labels: {}, annotations: {}, network: 'pod', logDirectory: '' } as never
  const sandbox = await runtime.runPodSandbox(config)
  await runtime.createContainer(
    sandbox,
    { metadata: { name: 'c', attempt: 0 }, image: 'used:1', mounts: [], annotations: {}, labels: {}, resources: {}, security: {} } as never,
    config,
  )
  assert.equal(await collector.collect(), 0, 'what was pulled just now stays')
  await clock.advance(300_000)
  assert.equal(await collector.collect(), 30 * gibibyte)
  assert.deepEqual((await runtime.listImages()).flatMap((image) => image.repoTags).sort(), ['new:1', 'used:1'])
})
