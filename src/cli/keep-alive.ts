/** Timers of the clock do not keep a process alive; who waits by them holds it for so long. */
export async function keepAlive<T>(work: () => Promise<T>): Promise<T> {
  const alive = setInterval(() => {}, 1 << 30)
  try {
    return await work()
  } finally {
    clearInterval(alive)
  }
}
