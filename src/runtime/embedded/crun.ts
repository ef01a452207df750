/** crun's verbs. */
import { command, type RunProgram, runCommand } from './command.ts'

export class Crun {
  readonly program = 'crun'
  /** For every verb, and for conmon to pass on. */
  readonly globalArguments: string[]

  readonly #start: RunProgram

  constructor(root: string, run: RunProgram = runCommand) {
    this.#start = run
    this.globalArguments = [`--root=${root}`, '--cgroup-manager=cgroupfs']
  }

  #run(...args: string[]): Promise<string> {
    return command(this.program, [...this.globalArguments, ...args], {}, this.#start)
  }

  async start(id: string): Promise<void> {
    await this.#run('start', id)
  }

  /** Without a monitor: for a process whose end nobody asks about. It keeps this process's descriptors: they must be none of its pipes. */
  async runDetached(id: string, bundle: string, pidFile: string): Promise<void> {
    const { code, stderr } = await this.#start('sh', [
      '-c',
      'exec "$@" >/dev/null 2>"$0"',
      `${bundle}/error`,
      this.program,
      ...this.globalArguments,
      'run',
      '--detach',
      '--bundle',
      bundle,
      '--pid-file',
      pidFile,
      id,
    ])
    if (code !== 0) throw new Error(await command('cat', [`${bundle}/error`]).catch(() => stderr.toString()))
  }

  /** False when it has ended already. */
  async kill(id: string, signal: string): Promise<boolean> {
    const { code } = await this.#start(this.program, [...this.globalArguments, 'kill', id, signal])
    return code === 0
  }

  /** Removes what crun keeps, and the control group; kills what still runs. Idempotent. */
  async delete(id: string): Promise<void> {
    await this.#start(this.program, [...this.globalArguments, 'delete', '--force', id])
  }

  /** `file` holds limits in the specification's form. */
  async update(id: string, file: string): Promise<void> {
    await this.#run('update', '--resources', file, id)
  }
}
