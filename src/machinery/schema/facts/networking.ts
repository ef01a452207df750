import { apiPackage, atomic, atomicStruct, mergedBy } from './api-package.ts'

export const networkingV1 = apiPackage(
  'io.k8s.api.networking.v1',
  {
    HTTPIngressRuleValue: {
      paths: atomic,
    },
    IPBlock: {
      except: atomic,
    },
    IngressLoadBalancerIngress: {
      ports: atomic,
    },
    IngressLoadBalancerStatus: {
      ingress: atomic,
    },
    IngressSpec: {
      rules: atomic,
      tls: atomic,
    },
    IngressTLS: {
      hosts: atomic,
    },
    NetworkPolicyEgressRule: {
      ports: atomic,
      to: atomic,
    },
    NetworkPolicyIngressRule: {
      from: atomic,
      ports: atomic,
    },
    NetworkPolicySpec: {
      egress: atomic,
      ingress: atomic,
      policyTypes: atomic,
    },
    ServiceBackendPort: {
      '': atomicStruct,
    },
    ServiceCIDRSpec: {
      cidrs: atomic,
    },
    ServiceCIDRStatus: {
      conditions: mergedBy('type'),
    },
  },
  `
  HTTPIngressPath IPAddress IPAddressList IPAddressSpec Ingress IngressBackend IngressClass IngressClassList
  IngressClassParametersReference IngressClassSpec IngressList IngressPortStatus IngressRule IngressServiceBackend IngressStatus
  NetworkPolicy NetworkPolicyList NetworkPolicyPeer NetworkPolicyPort ParentReference ServiceCIDR ServiceCIDRList
  `,
)

export const networkingV1beta1 = apiPackage(
  'io.k8s.api.networking.v1beta1',
  {
    ServiceCIDRSpec: {
      cidrs: atomic,
    },
    ServiceCIDRStatus: {
      conditions: mergedBy('type'),
    },
  },
  `
  IPAddress IPAddressList IPAddressSpec ParentReference ServiceCIDR ServiceCIDRList
  `,
)
