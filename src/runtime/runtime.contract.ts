/**
 * The suite that runs over every {@link Runtime}. It needs an image that holds a POSIX `sh` with `sleep`, `echo`
 * and `cat`; the simulated runtime answers the few scripts used here by a table ({@link contractScripts}).
 */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { type ContainerConfig, type PodSandboxConfig, type Runtime, RuntimeError, type RuntimeEvent } from './runtime.ts'

export interface RuntimeUnderTest {
  runtime: Runtime
  /** A reference that {@link Runtime.imageStatus} knows. */
  image: string
  /** A directory for logs. */
  directory: string
  /** For sandboxes; must exist. */
  cgroupParent: string
  /** Where the image has a shell that runs in the pod network; `node` when the runtime has no network under test. */
  network?: 'pod' | 'node'
  /** Lets some time pass: virtual or real. */
  tick(): Promise<void>
  /** The same containers, seen by a runtime that was started anew; absent: not tested. */
  restart?(): Promise<Runtime>
  cleanUp?(): Promise<void>
}

/** What containers are told to run. */
export const contractScripts = {
  forever: 'trap "exit 0" TERM; while :; do sleep 0.05; done',
  deaf: 'trap "" TERM; while :; do sleep 0.05; done',
  succeeds: 'echo out; echo err >&2; exit 0',
  fails: 'exit 3',
} as const

export function runtimeContract(name: string, make: () => Promise<RuntimeUnderTest>): void {
  describe(`runtime contract: ${name}`, () => {
    let under: RuntimeUnderTest
    let runtime: Runtime
    let count = 0

    before(async () => {
      under = await make()
      runtime = under.runtime
    })
    after(async () => {
      for (const sandbox of await runtime.listPodSandboxes()) await runtime.removePodSandbox(sandbox.id)
      await runtime.close()
      await under.cleanUp?.()
    })

    const sandboxConfig = (): PodSandboxConfig => {
      const uid = `contract-${++count}`
      return {
        metadata: { name: `pod-${count}`, uid, namespace: 'contract', attempt: 0 },
        hostname: `pod-${count}`,
        logDirectory: `${under.directory}/${uid}`,
        dns: { servers: [], searches: [], options: [] },
        portMappings: [],
        labels: { 'io.kubernetes.pod.uid': uid },
        annotations: { note: 'kept' },
        cgroupParent: under.cgroupParent,
        network: under.network ?? 'node',
        pid: 'container',
        ipc: 'pod',
        sysctls: {},
      }
    }
    const containerConfig = (script: string, containerName = 'main', attempt = 0): ContainerConfig => ({
      metadata: { name: containerName, attempt },
      image: under.image,
      imageSpec: under.image,
      command: ['sh', '-c', script],
      envs: [{ key: 'GREETING', value: 'hello' }],
      mounts: [],
      devices: [],
      labels: { 'io.kubernetes.container.name': containerName },
      annotations: { 'io.kubernetes.container.hash': 'abc' },
      logPath: `${containerName}/${attempt}.log`,
      stdin: false,
      stdinOnce: false,
      tty: false,
      resources: {},
      security: {
        privileged: false,
        supplementalGroups: [],
        addCapabilities: [],
        dropCapabilities: [],
        readonlyRootfs: false,
        noNewPrivileges: false,
        seccomp: { type: 'Unconfined' },
        pid: 'container',
      },
    })
    const until = async (what: string, holds: () => Promise<boolean> | boolean) => {
      for (let i = 0; i < 400; i++) {
        if (await holds()) return
        await under.tick()
      }
      assert.fail(`waited in vain until ${what}`)
    }
    const started = async (script: string, config = sandboxConfig()) => {
      const sandboxId = await runtime.runPodSandbox(config)
      const id = await runtime.createContainer(sandboxId, containerConfig(script), config)
      await runtime.startContainer(id)
      return { sandboxId, id, config }
    }
    /** Runs `work` while time passes. */
    const passing = async <T>(work: Promise<T>): Promise<T> => {
      let done = false
      const mark = () => {
        done = true
      }
      work.then(mark, mark)
      await until('the work is done', () => done)
      return work
    }

    it('says what it is and that it is ready', async () => {
      assert.ok((await runtime.version()).runtimeName)
      for (const condition of (await runtime.status()).conditions) assert.equal(condition.status, true, condition.message)
    })

    it('keeps the identity of a sandbox: metadata, labels, annotations', async () => {
      const config = sandboxConfig()
      const id = await runtime.runPodSandbox(config)
      const found = await runtime.podSandboxStatus(id)
      assert.equal(found?.state, 'ready')
      assert.deepEqual(found?.metadata, config.metadata)
      assert.deepEqual(found?.labels, config.labels)
      assert.deepEqual(found?.annotations, config.annotations)
      assert.ok((await runtime.listPodSandboxes()).some((one) => one.id === id))
      await runtime.removePodSandbox(id)
      assert.equal(await runtime.podSandboxStatus(id), undefined)
      await runtime.removePodSandbox(id)
      await runtime.stopPodSandbox(id)
    })

    it('takes a container from created to running to exited', async () => {
      const config = sandboxConfig()
      const sandboxId = await runtime.runPodSandbox(config)
      const id = await runtime.createContainer(sandboxId, containerConfig(contractScripts.fails), config)
      const created = await runtime.containerStatus(id)
      assert.equal(created?.state, 'created')
      assert.equal(created?.sandboxId, sandboxId)
      assert.deepEqual(created?.metadata, { name: 'main', attempt: 0 })
      assert.deepEqual(created?.annotations, { 'io.kubernetes.container.hash': 'abc' })
      await runtime.startContainer(id)
      await until('it has exited', async () => (await runtime.containerStatus(id))?.state === 'exited')
      const exited = await runtime.containerStatus(id)
      assert.equal(exited?.exitCode, 3)
      assert.equal(exited?.reason, 'Error')
      assert.ok((exited?.startedAt ?? 0) > 0)
      assert.ok((exited?.finishedAt ?? 0) >= (exited?.startedAt ?? 0))
      await runtime.removePodSandbox(sandboxId)
      assert.equal(await runtime.containerStatus(id), undefined)
    })

    it('an exit code of 0 is Completed', async () => {
      const { id } = await started(contractScripts.succeeds)
      await until('it has exited', async () => (await runtime.containerStatus(id))?.state === 'exited')
      const status = await runtime.containerStatus(id)
      assert.equal(status?.exitCode, 0)
      assert.equal(status?.reason, 'Completed')
    })

    it('stops with the signal, and kills when the time is over', async () => {
      const polite = await started(contractScripts.forever)
      await until('it runs', async () => (await runtime.containerStatus(polite.id))?.state === 'running')
      await under.tick()
      await passing(runtime.stopContainer(polite.id, 30))
      assert.equal((await runtime.containerStatus(polite.id))?.state, 'exited')
      await runtime.stopContainer(polite.id, 30)

      const deaf = await started(contractScripts.deaf)
      await under.tick()
      await passing(runtime.stopContainer(deaf.id, 1))
      assert.equal((await runtime.containerStatus(deaf.id))?.exitCode, 137)
    })

    it('a later stop with less time overtakes an earlier one', async () => {
      const { id } = await started(contractScripts.deaf)
      await under.tick()
      const slow = runtime.stopContainer(id, 600)
      await under.tick()
      await passing(runtime.stopContainer(id, 0))
      await passing(slow)
      assert.equal((await runtime.containerStatus(id))?.exitCode, 137)
    })

    it('stopping a sandbox ends its containers and keeps both in the lists', async () => {
      const { sandboxId, id } = await started(contractScripts.deaf)
      await passing(runtime.stopPodSandbox(sandboxId))
      assert.equal((await runtime.podSandboxStatus(sandboxId))?.state, 'notReady')
      await until('its container has ended', async () => (await runtime.containerStatus(id))?.state === 'exited')
      assert.deepEqual(
        (await runtime.listContainers({ sandboxId })).map((one) => one.id),
        [id],
      )
    })

    it('lists the containers of one sandbox, or all', async () => {
      const first = await started(contractScripts.forever)
      const second = await started(contractScripts.forever)
      assert.deepEqual(
        (await runtime.listContainers({ sandboxId: first.sandboxId })).map((one) => one.id),
        [first.id],
      )
      const all = (await runtime.listContainers()).map((one) => one.id)
      assert.ok(all.includes(first.id) && all.includes(second.id))
    })

    it('runs commands inside: output, exit code, time limit', async () => {
      const { id } = await started(contractScripts.forever)
      const good = await passing(runtime.execSync(id, ['sh', '-c', 'echo out; echo err >&2; exit 4'], 10_000))
      assert.equal(good.exitCode, 4)
      assert.equal(Buffer.from(good.stdout).toString(), 'out\n')
      assert.equal(Buffer.from(good.stderr).toString(), 'err\n')
      await assert.rejects(passing(runtime.execSync(id, ['sleep', '30'], 300)), (error) => error instanceof RuntimeError && error.code === 'DeadlineExceeded')
    })

    it('streams the output of an exec session', async () => {
      const { id } = await started(contractScripts.forever)
      const stdout = new PassThrough()
      const { exitCode } = await passing(
        runtime.exec(id, ['sh', '-c', 'echo out; echo err >&2; exit 4'], {
          stdout,
          stderr: new PassThrough(),
          tty: false,
          signal: new AbortController().signal,
        }),
      )
      assert.equal(exitCode, 4)
      stdout.end()
      assert.equal(Buffer.concat(await stdout.toArray()).toString(), 'out\n')
    })

    it('tells of life-cycle events in order', async () => {
      const controller = new AbortController()
      const seen: RuntimeEvent[] = []
      const events = runtime.events(controller.signal)
      const reading = (async () => {
        for await (const event of events) seen.push(event)
      })()
      const { sandboxId, id } = await started(contractScripts.succeeds)
      await until('the end was told', () => seen.some((event) => event.type === 'containerStopped' && event.containerId === id))
      const own = seen.filter((event) => event.sandboxId === sandboxId && 'containerId' in event).map((event) => event.type)
      assert.deepEqual(own.slice(-2), ['containerStarted', 'containerStopped'])
      controller.abort()
      await reading
    })

    it('refuses what is not there', async () => {
      const isNotFound = (error: unknown) => error instanceof RuntimeError && error.code === 'NotFound'
      await assert.rejects(runtime.startContainer('none'), isNotFound)
      await assert.rejects(runtime.execSync('none', ['true'], 1000), isNotFound)
      assert.equal(await runtime.containerStatus('none'), undefined)
      assert.equal(await runtime.imageStatus('sha256:0000000000000000000000000000000000000000000000000000000000000000'), undefined)
      await runtime.stopContainer('none', 1)
      await runtime.removeContainer('none')
    })

    it('knows its images, by name and by id', async () => {
      const image = await runtime.imageStatus(under.image)
      assert.ok(image)
      assert.equal((await runtime.imageStatus(image.id))?.id, image.id)
      assert.ok((await runtime.listImages()).some((one) => one.id === image.id))
    })

    it('measures what runs', async () => {
      const { sandboxId, id } = await started(contractScripts.forever)
      const stats = (await runtime.stats()).find((one) => one.id === sandboxId)
      assert.ok(stats)
      assert.deepEqual(
        stats.containers.map((one) => [one.id, one.name]),
        [[id, 'main']],
      )
    })

    it('finds its containers again after its own restart', async (t) => {
      if (!under.restart) return t.skip('this runtime keeps nothing')
      const { sandboxId, id } = await started(contractScripts.forever)
      const before = await runtime.containerStatus(id)
      await runtime.close()
      runtime = await under.restart()
      const found = await runtime.containerStatus(id)
      assert.equal(found?.state, 'running')
      assert.equal(found?.startedAt, before?.startedAt)
      assert.equal((await runtime.podSandboxStatus(sandboxId))?.state, 'ready')
      await passing(runtime.stopContainer(id, 5))
      assert.equal((await runtime.containerStatus(id))?.state, 'exited')
    })
  })
}
