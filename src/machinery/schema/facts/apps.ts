import { apiPackage, atomic, mergedBy } from './api-package.ts'

export const appsV1 = apiPackage(
  'io.k8s.api.apps.v1',
  {
    ControllerRevision: {
      data: { raw: 'RawExtension' },
    },
    DaemonSetStatus: {
      conditions: mergedBy('type'),
    },
    DeploymentSpec: {
      strategy: { patch: ['retainKeys'] },
    },
    DeploymentStatus: {
      conditions: mergedBy('type'),
    },
    ReplicaSetStatus: {
      conditions: mergedBy('type'),
    },
    StatefulSetSpec: {
      volumeClaimTemplates: atomic,
    },
    StatefulSetStatus: {
      conditions: mergedBy('type'),
    },
  },
  `
  ControllerRevisionList DaemonSet DaemonSetCondition DaemonSetList DaemonSetSpec DaemonSetUpdateStrategy Deployment
  DeploymentCondition DeploymentList DeploymentStrategy ReplicaSet ReplicaSetCondition ReplicaSetList ReplicaSetSpec
  RollingUpdateDaemonSet RollingUpdateDeployment RollingUpdateStatefulSetStrategy StatefulSet StatefulSetCondition StatefulSetList
  StatefulSetOrdinals StatefulSetPersistentVolumeClaimRetentionPolicy StatefulSetUpdateStrategy
  `,
)
