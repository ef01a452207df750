import { apiPackage, atomic, keyedBy, mergedBy } from './api-package.ts'

export const certificatesV1 = apiPackage(
  'io.k8s.api.certificates.v1',
  {
    CertificateSigningRequestSpec: {
      groups: atomic,
      usages: atomic,
    },
    CertificateSigningRequestStatus: {
      conditions: keyedBy('type'),
    },
  },
  `
  CertificateSigningRequest CertificateSigningRequestCondition CertificateSigningRequestList
  `,
)

export const certificatesV1beta1 = apiPackage(
  'io.k8s.api.certificates.v1beta1',
  {
    PodCertificateRequestSpec: {
      maxExpirationSeconds: { default: 86400 },
    },
    PodCertificateRequestStatus: {
      conditions: mergedBy('type'),
    },
  },
  `
  ClusterTrustBundle ClusterTrustBundleList ClusterTrustBundleSpec PodCertificateRequest PodCertificateRequestList
  `,
)
