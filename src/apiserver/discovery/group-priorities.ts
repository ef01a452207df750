/** With which priorities groups and versions stand among the APIServices; the built-in ones as upstream has them. */

const groups: Readonly<Record<string, number>> = {
  '': 18000,
  apps: 17800,
  'events.k8s.io': 17750,
  'authentication.k8s.io': 17700,
  'authorization.k8s.io': 17600,
  autoscaling: 17500,
  batch: 17400,
  'certificates.k8s.io': 17300,
  'networking.k8s.io': 17200,
  policy: 17100,
  'rbac.authorization.k8s.io': 17000,
  'storage.k8s.io': 16800,
  'apiextensions.k8s.io': 16700,
  'admissionregistration.k8s.io': 16700,
  'scheduling.k8s.io': 16600,
  'coordination.k8s.io': 16500,
  'node.k8s.io': 16300,
  'discovery.k8s.io': 16200,
  'flowcontrol.apiserver.k8s.io': 16100,
  'internal.apiserver.k8s.io': 16000,
  'resource.k8s.io': 15900,
  'storagemigration.k8s.io': 15800,
}

const versions: Readonly<Record<string, number>> = { '/v1': 1, 'autoscaling/v2': 30, 'flowcontrol.apiserver.k8s.io/v1': 21, 'resource.k8s.io/v1': 20 }
const stable = 15
const unstable = 9
const custom = { groupPriorityMinimum: 1000, versionPriority: 100, custom: true }

export function priorityOf(group: string, version: string): { groupPriorityMinimum: number; versionPriority: number; custom: boolean } {
  const groupPriorityMinimum = groups[group]
  if (groupPriorityMinimum === undefined) return custom
  return { groupPriorityMinimum, versionPriority: versions[`${group}/${version}`] ?? (/(alpha|beta)/.test(version) ? unstable : stable), custom: false }
}
