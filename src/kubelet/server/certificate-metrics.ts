/** How long a kubelet's certificates are good for, and how often one could not be renewed. */
import { X509Certificate } from 'node:crypto'
import type { Clock } from '../../machinery/clock.ts'
import type { MetricRegistry } from '../../machinery/metrics/registry.ts'

export type CertificateUse = 'client' | 'server'

const renewalErrors = {
  client: ['kubelet_certificate_manager_client_expiration_renew_errors', 'Times that the certificate for the API server could not be renewed.'],
  server: ['kubelet_server_expiration_renew_errors', 'Times that the serving certificate could not be renewed.'],
} as const

export class CertificateMetrics {
  readonly #registry: MetricRegistry
  readonly #expiry: Record<CertificateUse, number> = { client: Number.POSITIVE_INFINITY, server: Number.POSITIVE_INFINITY }

  /** A certificate that is not {@link shows shown} never expires, as upstream tells of those that are not used. */
  constructor(registry: MetricRegistry, clock: Clock) {
    this.#registry = registry
    const left = (use: CertificateUse, help: string) =>
      registry
        .gauge(`kubelet_certificate_manager_${use}_ttl_seconds`, help)
        .of()
        .follow(() => Math.round((this.#expiry[use] - clock.now()) / 1000))
    left('client', 'Seconds that the certificate for the API server is still good for.')
    left('server', 'Seconds that the serving certificate is still good for.')
    for (const use of ['client', 'server'] as const) this.#errors(use)
  }

  /** PEM. */
  shows(use: CertificateUse, certificate: string): void {
    this.#expiry[use] = new X509Certificate(certificate).validToDate.getTime()
  }

  notRenewed(use: CertificateUse): void {
    this.#errors(use).add()
  }

  #errors(use: CertificateUse) {
    const [name, help] = renewalErrors[use]
    return this.#registry.counter(name, help).of()
  }
}
