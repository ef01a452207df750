/** Deletes CertificateSigningRequests that have had their time. */
import { X509Certificate } from 'node:crypto'
import { defineController } from '../client/controller.ts'
import { CertificateSigningRequest } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import type { V1CertificateSigningRequest } from '../machinery/schema/generated/types.ts'

/** One that nobody decided is forgotten after a day, one that was decided after an hour, one whose certificate has ended at once. */
const pendingMs = 24 * 3_600_000
const decidedMs = 3_600_000

export const certificateCleaner = defineController<V1CertificateSigningRequest>({
  name: 'certificatesigningrequest-cleaner-controller',
  reconciles: CertificateSigningRequest,
  async reconcile(request, { client, clock }) {
    if (!request) return
    const left = endOf(request) - clock.now()
    if (left > 0) return { again: left }
    await client.delete(CertificateSigningRequest, request.metadata, { preconditions: { uid: request.metadata.uid } }).catch((error: unknown) => {
      if (!isApiError(error, 'NotFound') && !isApiError(error, 'Conflict')) throw error
    })
    return
  },
})

function endOf({ metadata, status }: V1CertificateSigningRequest): number {
  const decided = (status?.conditions ?? []).filter(({ type }) => ['Approved', 'Denied', 'Failed'].includes(type))
  if (decided.length === 0) return Date.parse(metadata.creationTimestamp) + pendingMs
  const last = Math.max(...decided.map(({ lastUpdateTime }) => Date.parse(lastUpdateTime ?? metadata.creationTimestamp)))
  return Math.min(last + decidedMs, certificateEnd(status?.certificate))
}

function certificateEnd(base64: string | undefined): number {
  if (!base64) return Number.POSITIVE_INFINITY
  try {
    return new X509Certificate(Buffer.from(base64, 'base64')).validToDate.getTime()
  } catch {
    // A signer of somebody else's may write what we do not read.
    return Number.POSITIVE_INFINITY
  }
}
