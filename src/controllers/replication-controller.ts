/** A ReplicationController is an older ReplicaSet, whose selector is of labels alone. */
import { ReplicationController } from '../client/resources.ts'
import type { V1ReplicaSet, V1ReplicaSetStatus, V1ReplicationController } from '../machinery/schema/generated/types.ts'
import { keepReplicas } from './replica-set.ts'

export const replicationController = keepReplicas<V1ReplicationController>({
  name: 'replication-controller',
  resource: ReplicationController,
  asSet: (controller) =>
    ({ ...controller, spec: { ...controller.spec, selector: { matchLabels: controller.spec?.selector ?? {} } }, status: controller.status }) as V1ReplicaSet,
  withStatus: (controller, { terminatingReplicas: _, ...status }: V1ReplicaSetStatus) => ({ ...controller, status }),
})
