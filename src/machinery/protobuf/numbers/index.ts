/** The numbers of all models, by model. Fields that are not here are passed over, as unknown fields of protobuf are. */
import { admissionregistration } from './admissionregistration.ts'
import { apps } from './apps.ts'
import { authentication } from './authentication.ts'
import { authorization } from './authorization.ts'
import { autoscaling } from './autoscaling.ts'
import { batch } from './batch.ts'
import { certificates } from './certificates.ts'
import { coordination } from './coordination.ts'
import { core } from './core.ts'
import { discovery } from './discovery.ts'
import { events } from './events.ts'
import { flowcontrol } from './flowcontrol.ts'
import { meta } from './meta.ts'
import { networking } from './networking.ts'
import { node } from './node.ts'
import { policy } from './policy.ts'
import { rbac } from './rbac.ts'
import { scheduling } from './scheduling.ts'
import { storage } from './storage.ts'

export const fieldNumbers: Readonly<Record<string, string>> = {
  ...admissionregistration,
  ...apps,
  ...authentication,
  ...authorization,
  ...autoscaling,
  ...batch,
  ...certificates,
  ...coordination,
  ...core,
  ...discovery,
  ...events,
  ...flowcontrol,
  ...meta,
  ...networking,
  ...node,
  ...policy,
  ...rbac,
  ...scheduling,
  ...storage,
}
