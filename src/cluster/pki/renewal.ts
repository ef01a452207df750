/** Certificates that a running server shows are renewed while it runs: years of uptime must not end with a certificate. */
import type { Clock } from '../../machinery/clock.ts'
import type { KeyPair } from './certificate-authority.ts'

/** A certificate has a quarter of its life left when it is renewed: looking twice a day is early enough by far. */
export const renewalPeriod = 12 * 3_600_000

export interface RenewalOptions {
  clock: Clock
  shown: KeyPair
  /** The pair that is good now: the one shown, or a new one. */
  current(): Promise<KeyPair>
  renew(pair: KeyPair): void
  failed(error: unknown): void
}

/** Returns what ends it. */
export function renewRegularly({ clock, shown, current, renew, failed }: RenewalOptions): () => void {
  let certificate = shown.certificate
  async function look(): Promise<void> {
    const pair = await current()
    if (pair.certificate === certificate) return
    renew(pair)
    certificate = pair.certificate
  }
  let looking = false
  const timer = clock.every(renewalPeriod, () => {
    if (looking) return
    looking = true
    look()
      .catch(failed)
      .finally(() => {
        looking = false
      })
  })
  return () => timer.cancel()
}
