import type { ChildProcess } from 'node:child_process'
import { Duplex } from 'node:stream'

/** A program's input and output as one connection; the program ends with it. */
export class ChildConnection extends Duplex {
  readonly #child: ChildProcess

  constructor(child: ChildProcess) {
    super({ allowHalfOpen: true })
    this.#child = child
    child.stdout?.on('data', (chunk) => {
      if (!this.push(chunk)) child.stdout?.pause()
    })
    child.stdout?.once('end', () => this.push(null))
    // The other end is gone: the reader hears it by the end of the output.
    child.stdin?.on('error', () => {})
    child.once('error', (error) => this.destroy(error))
  }

  override _read(): void {
    this.#child.stdout?.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#child.stdin?.write(chunk, () => done())
  }

  override _final(done: () => void): void {
    this.#child.stdin?.end()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#child.kill('SIGKILL')
    done(error)
  }
}
