/** The types of all built-in groups. */
import { admissionregistrationV1, admissionregistrationV1beta1 } from './admissionregistration.ts'
import type { ApiPackage } from './api-package.ts'
import { apiextensionsV1 } from './apiextensions.ts'
import { apiregistrationV1 } from './apiregistration.ts'
import { appsV1 } from './apps.ts'
import { authenticationV1 } from './authentication.ts'
import { authorizationV1 } from './authorization.ts'
import { autoscalingV1, autoscalingV2 } from './autoscaling.ts'
import { batchV1 } from './batch.ts'
import { certificatesV1, certificatesV1beta1 } from './certificates.ts'
import { coordinationV1, coordinationV1beta1 } from './coordination.ts'
import { coreV1 } from './core.ts'
import { discoveryV1 } from './discovery.ts'
import { eventsV1 } from './events.ts'
import { flowcontrolV1 } from './flowcontrol.ts'
import { metaV1 } from './meta.ts'
import { networkingV1, networkingV1beta1 } from './networking.ts'
import { nodeV1 } from './node.ts'
import { policyV1 } from './policy.ts'
import { rbacV1 } from './rbac.ts'
import { resourceV1, resourceV1beta1, resourceV1beta2 } from './resource.ts'
import { schedulingV1 } from './scheduling.ts'
import { storageV1, storageV1beta1 } from './storage.ts'
import { storagemigrationV1beta1 } from './storagemigration.ts'

export const builtInPackages: readonly ApiPackage[] = [
  metaV1,
  coreV1,
  appsV1,
  batchV1,
  autoscalingV1,
  autoscalingV2,
  policyV1,
  networkingV1,
  networkingV1beta1,
  rbacV1,
  storageV1,
  storageV1beta1,
  storagemigrationV1beta1,
  discoveryV1,
  eventsV1,
  coordinationV1,
  coordinationV1beta1,
  certificatesV1,
  certificatesV1beta1,
  schedulingV1,
  nodeV1,
  resourceV1,
  resourceV1beta1,
  resourceV1beta2,
  flowcontrolV1,
  authenticationV1,
  authorizationV1,
  admissionregistrationV1,
  admissionregistrationV1beta1,
  apiextensionsV1,
  apiregistrationV1,
]
