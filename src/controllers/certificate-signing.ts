/** Signs CertificateSigningRequests that were approved, for the signers that upstream builds in. */
import { defineController } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { CertificateSigningRequest } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import type { V1CertificateSigningRequest } from '../machinery/schema/generated/types.ts'
import { type CertificateSigner, hasCondition, isOwnSigner, problemOf, requestPem } from './certificate-rules.ts'

/** The most that is certified at once; a request may ask for less. */
const year = 365 * 86_400

export const certificateSigningController = (signer: CertificateSigner): AnyController =>
  defineController<V1CertificateSigningRequest>({
    name: 'certificatesigningrequest-signing-controller',
    reconciles: CertificateSigningRequest,
    async reconcile(request, { client, clock }) {
      if (!request || !isOwnSigner(request.spec.signerName) || request.status?.certificate) return
      if (!hasCondition(request, 'Approved') || hasCondition(request, 'Denied') || hasCondition(request, 'Failed')) return
      const { usages = [], expirationSeconds } = request.spec
      const { status = {} } = request
      const problem = await problemOf(request, signer)
      if (problem) {
        const now = timestamp(clock.now())
        const failed = { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message: problem, lastUpdateTime: now, lastTransitionTime: now }
        await client.updateStatus(CertificateSigningRequest, { ...request, status: { ...status, conditions: [...(status.conditions ?? []), failed] } })
        return
      }
      const certificate = await signer.sign(requestPem(request), usages, Math.min(expirationSeconds ?? year, year))
      await client.updateStatus(CertificateSigningRequest, { ...request, status: { ...status, certificate: Buffer.from(certificate).toString('base64') } })
      return
    },
  })
