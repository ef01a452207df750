/** Hands events to every listener in order; each has its own unbounded queue until its signal is aborted. */
export class EventStream<T> {
  readonly #listeners = new Set<(event: T) => void>()

  emit(event: T): void {
    for (const listener of this.#listeners) listener(event)
  }

  /** Subscribes at once, not first when the reader begins to read: nothing that happens in between is lost. */
  listen(signal: AbortSignal): AsyncIterable<T> {
    const queue: T[] = []
    let wake: (() => void) | undefined
    const listener = (event: T) => {
      queue.push(event)
      wake?.()
    }
    if (!signal.aborted) this.#listeners.add(listener)
    signal.addEventListener(
      'abort',
      () => {
        this.#listeners.delete(listener)
        wake?.()
      },
      { once: true },
    )
    return (async function* () {
      for (;;) {
        const batch = queue.splice(0)
        yield* batch
        if (signal.aborted) return
        if (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      }
    })()
  }
}
