/** Short ways to pods and containers, for tests. */
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { ContainerConfig, ContainerSecurity, ContainerStatus, PodSandboxConfig, Runtime, SessionStreams } from '../../runtime.ts'

export type ContainerWish = Partial<Omit<ContainerConfig, 'security'>> & { security?: Partial<ContainerSecurity> }

export class Pods {
  runtime: Runtime
  readonly #logs: string
  #count = 0

  constructor(runtime: Runtime, directory: string) {
    this.runtime = runtime
    this.#logs = join(directory, 'logs')
  }

  sandbox(wish: Partial<PodSandboxConfig> = {}): PodSandboxConfig {
    const uid = `u${++this.#count}`
    return {
      metadata: { name: `pod-${uid}`, uid, namespace: 'default', attempt: 0 },
      hostname: 'pod',
      logDirectory: join(this.#logs, uid),
      dns: { servers: ['10.96.0.10'], searches: ['default.svc.cluster.local'], options: ['ndots:5'] },
      portMappings: [],
      labels: {},
      annotations: {},
      cgroupParent: '/pods',
      network: 'pod',
      pid: 'container',
      ipc: 'pod',
      sysctls: {},
      ...wish,
    }
  }

  container(command: string[], wish: ContainerWish = {}): ContainerConfig {
    return {
      metadata: { name: 'main', attempt: 0 },
      image: 'busybox:1.35',
      imageSpec: 'busybox:1.35',
      command,
      envs: [],
      mounts: [],
      devices: [],
      labels: {},
      annotations: {},
      logPath: 'main/0.log',
      stdin: false,
      stdinOnce: false,
      tty: false,
      resources: {},
      ...wish,
      security: {
        privileged: false,
        supplementalGroups: [],
        addCapabilities: [],
        dropCapabilities: [],
        readonlyRootfs: false,
        noNewPrivileges: false,
        seccomp: { type: 'RuntimeDefault' },
        pid: 'container',
        ...wish.security,
      },
    }
  }

  /** A pod of one container that runs `command`. */
  async run(command: string[], wish: ContainerWish = {}, sandbox = this.sandbox()): Promise<{ sandboxId: string; id: string; log: string }> {
    const sandboxId = await this.runtime.runPodSandbox(sandbox)
    const config = this.container(command, wish)
    const id = await this.runtime.createContainer(sandboxId, config, sandbox)
    await this.runtime.startContainer(id)
    return { sandboxId, id, log: join(sandbox.logDirectory, config.logPath) }
  }

  async output(id: string, script: string): Promise<string> {
    const { stdout, stderr } = await this.runtime.execSync(id, ['sh', '-c', script], 60_000)
    return Buffer.concat([stdout, stderr]).toString().trim()
  }

  async exited(id: string): Promise<ContainerStatus> {
    await until('the container has exited', async () => (await this.runtime.containerStatus(id))?.state === 'exited')
    const status = await this.runtime.containerStatus(id)
    if (!status) throw new Error('the container is gone')
    return status
  }
}

export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`waited in vain until ${what}`)
}

/** A session's streams that tests write to and read from. */
export class Session {
  readonly stdin = new PassThrough()
  readonly #controller = new AbortController()
  #resize: ((size: { columns: number; rows: number }) => void) | undefined
  output = ''
  errors = ''

  streams(tty: boolean): SessionStreams {
    const stdout = new PassThrough()
    const stderr = new PassThrough()
    stdout.on('data', (chunk) => {
      this.output += chunk
    })
    stderr.on('data', (chunk) => {
      this.errors += chunk
    })
    return {
      stdin: this.stdin,
      stdout,
      ...(tty ? {} : { stderr }),
      tty,
      onResize: (listener) => {
        this.#resize = listener
      },
      signal: this.#controller.signal,
    }
  }

  resize(columns: number, rows: number): void {
    this.#resize?.({ columns, rows })
  }

  abort(): void {
    this.#controller.abort(new Error('the client went away'))
  }

  seen(text: string | RegExp): Promise<void> {
    return until(`${text} was seen in ${JSON.stringify(this.output)}`, () => (typeof text === 'string' ? this.output.includes(text) : text.test(this.output)))
  }
}
