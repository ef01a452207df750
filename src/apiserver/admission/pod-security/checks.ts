/** The Pod Security Standards: what pods of the level `baseline` and of the level `restricted` may not ask for. */
import { safeSysctls } from '../../../apis/core/safe-sysctls.ts'
import type { V1Container, V1PodSpec, V1SecurityContext, V1Volume } from '../../../machinery/schema/generated/types.ts'

/** What is wrong, and where: `privileged (container "web" must not set securityContext.privileged=true)`. */
export type Check = (spec: V1PodSpec) => string | undefined

type AnyContainer = Pick<V1Container, 'name' | 'securityContext' | 'ports'>

const containersOf = (spec: V1PodSpec): AnyContainer[] => [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]

const quoted = (names: string[]) => names.map((name) => JSON.stringify(name)).join(', ')
const containersNamed = (containers: AnyContainer[]) => `container${containers.length > 1 ? 's' : ''} ${quoted(containers.map(({ name }) => name))}`
const distinct = (values: string[]) => [...new Set(values)].sort()

/** A check of every container's own context. */
const eachContainer =
  (title: string, bad: (context: V1SecurityContext, container: AnyContainer) => boolean, must: (bad: AnyContainer[]) => string): Check =>
  (spec) => {
    const found = containersOf(spec).filter((container) => bad(container.securityContext ?? {}, container))
    return found.length > 0 ? `${title} (${containersNamed(found)} ${must(found)})` : undefined
  }

const hostNamespaces: Check = (spec) => {
  const found = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field]).map((field) => `${field}=true`)
  return found.length > 0 ? `host namespaces (${found.join(', ')})` : undefined
}

const privileged = eachContainer(
  'privileged',
  ({ privileged }) => privileged === true,
  () => 'must not set securityContext.privileged=true',
)

const baselineCapabilities = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(' '),
)
const added = ({ securityContext }: AnyContainer, allowed: Set<string>) => (securityContext?.capabilities?.add ?? []).filter((one) => !allowed.has(one))

const baselineAdd = eachContainer(
  'non-default capabilities',
  (_, container) => added(container, baselineCapabilities).length > 0,
  (found) => {
    const names = distinct(found.flatMap((container) => added(container, baselineCapabilities)))
    return `must not include ${quoted(names)} in securityContext.capabilities.add`
  },
)

const hostPath: Check = ({ volumes = [] }) => {
  const found = volumes.filter((volume) => volume.hostPath)
  return found.length > 0 ? `hostPath volumes (volume${found.length > 1 ? 's' : ''} ${quoted(found.map(({ name }) => name))})` : undefined
}

const hostPorts: Check = (spec) => {
  const found = containersOf(spec).filter(({ ports }) => ports?.some(({ hostPort }) => hostPort))
  const ports = distinct(found.flatMap((container) => (container.ports ?? []).flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []))))
  if (found.length === 0) return undefined
  return `hostPort (${containersNamed(found)} use${found.length > 1 ? '' : 's'} hostPort${ports.length > 1 ? 's' : ''} ${ports.join(', ')})`
}

const procMount = eachContainer(
  'procMount',
  ({ procMount }) => procMount !== undefined && procMount !== 'Default',
  (found) => `must not set securityContext.procMount to ${quoted(distinct(found.map(({ securityContext }) => securityContext?.procMount ?? '')))}`,
)

const seLinuxTypes = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'])
const seLinux: Check = (spec) => {
  const all = [spec.securityContext?.seLinuxOptions, ...containersOf(spec).map(({ securityContext }) => securityContext?.seLinuxOptions)]
  const types = distinct(all.flatMap((one) => (one && !seLinuxTypes.has(one.type ?? '') ? [one.type ?? ''] : [])))
  const user = all.some((one) => one?.user)
  const role = all.some((one) => one?.role)
  if (types.length === 0 && !user && !role) return undefined
  const what = [
    ...(types.length > 0 ? [`type${types.length > 1 ? 's' : ''} ${quoted(types)}`] : []),
    ...(user ? ['user may not be set'] : []),
    ...(role ? ['role may not be set'] : []),
  ]
  return `seLinuxOptions (pod or containers set forbidden securityContext.seLinuxOptions: ${what.join('; ')})`
}

const sysctls: Check = ({ securityContext }) => {
  const found = (securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !safeSysctls.has(name))
  return found.length > 0 ? `forbidden sysctls (${found.join(', ')})` : undefined
}

const seccompOf = (context: { seccompProfile?: { type: string } } | undefined) => context?.seccompProfile?.type
const seccompBaseline: Check = (spec) => {
  const places = [
    ...(seccompOf(spec.securityContext) === 'Unconfined' ? ['pod'] : []),
    ...(containersOf(spec).some(({ securityContext }) => seccompOf(securityContext) === 'Unconfined')
      ? [containersNamed(containersOf(spec).filter(({ securityContext }) => seccompOf(securityContext) === 'Unconfined'))]
      : []),
  ]
  return places.length > 0 ? `seccompProfile (${places.join(' and ')} must not set securityContext.seccompProfile.type to "Unconfined")` : undefined
}

const windowsHostProcess: Check = (spec) => {
  const host = (context: { windowsOptions?: { hostProcess?: boolean } } | undefined) => context?.windowsOptions?.hostProcess === true
  const found = containersOf(spec).filter(({ securityContext }) => host(securityContext))
  if (!host(spec.securityContext) && found.length === 0) return undefined
  const places = [...(host(spec.securityContext) ? ['pod'] : []), ...(found.length > 0 ? [containersNamed(found)] : [])]
  return `hostProcess (${places.join(' and ')} must not set securityContext.windowsOptions.hostProcess=true)`
}

const volumeKinds = new Set(['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected', 'secret'])
const kindOf = (volume: V1Volume) => Object.keys(volume).find((field) => field !== 'name') ?? 'unknown'
const volumeTypes: Check = ({ volumes = [] }) => {
  const found = volumes.filter((volume) => !volumeKinds.has(kindOf(volume)))
  if (found.length === 0) return undefined
  const kinds = distinct(found.map(kindOf))
  return `restricted volume types (volume${found.length > 1 ? 's' : ''} ${quoted(found.map(({ name }) => name))} use${found.length > 1 ? '' : 's'} restricted volume type${kinds.length > 1 ? 's' : ''} ${quoted(kinds)})`
}

const escalation = eachContainer(
  'allowPrivilegeEscalation != false',
  ({ allowPrivilegeEscalation }) => allowPrivilegeEscalation !== false,
  () => 'must set securityContext.allowPrivilegeEscalation=false',
)

const restrictedCapabilities = new Set(['NET_BIND_SERVICE'])
const capabilities: Check = (spec) => {
  const keeping = containersOf(spec).filter(({ securityContext }) => !securityContext?.capabilities?.drop?.includes('ALL'))
  const adding = containersOf(spec).filter((container) => added(container, restrictedCapabilities).length > 0)
  const parts: string[] = []
  if (keeping.length > 0) parts.push(`${containersNamed(keeping)} must set securityContext.capabilities.drop=["ALL"]`)
  if (adding.length > 0) {
    const names = distinct(adding.flatMap((container) => added(container, restrictedCapabilities)))
    parts.push(`${containersNamed(adding)} must not include ${quoted(names)} in securityContext.capabilities.add`)
  }
  return parts.length > 0 ? `unrestricted capabilities (${parts.join('; ')})` : undefined
}

const runAsNonRoot: Check = (spec) => {
  const explicit = containersOf(spec).filter(({ securityContext }) => securityContext?.runAsNonRoot === false)
  if (explicit.length > 0) return `runAsNonRoot != true (${containersNamed(explicit)} must not set securityContext.runAsNonRoot=false)`
  const unset = containersOf(spec).filter(({ securityContext }) => securityContext?.runAsNonRoot === undefined)
  if (spec.securityContext?.runAsNonRoot === true || unset.length === 0) return undefined
  return `runAsNonRoot != true (pod or ${containersNamed(unset)} must set securityContext.runAsNonRoot=true)`
}

const runAsUser: Check = (spec) => {
  const root = containersOf(spec).filter(({ securityContext }) => securityContext?.runAsUser === 0)
  const places = [...(spec.securityContext?.runAsUser === 0 ? ['pod'] : []), ...(root.length > 0 ? [containersNamed(root)] : [])]
  return places.length > 0 ? `runAsUser=0 (${places.join(' and ')} must not set runAsUser=0)` : undefined
}

const seccompRestricted: Check = (spec) => {
  const fits = (type: string | undefined) => type === 'RuntimeDefault' || type === 'Localhost'
  const wrong = containersOf(spec).filter(({ securityContext }) => seccompOf(securityContext) !== undefined && !fits(seccompOf(securityContext)))
  const unset = containersOf(spec).filter(({ securityContext }) => seccompOf(securityContext) === undefined)
  const must = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
  if (wrong.length > 0) return `seccompProfile (${containersNamed(wrong)} ${must})`
  if (unset.length === 0 || fits(seccompOf(spec.securityContext))) return undefined
  return `seccompProfile (pod or ${containersNamed(unset)} ${must})`
}

const both: Check[] = [hostNamespaces, hostPorts, privileged, procMount, seLinux, sysctls, windowsHostProcess]

export const baseline: readonly Check[] = [
  hostNamespaces,
  baselineAdd,
  hostPath,
  hostPorts,
  privileged,
  procMount,
  seccompBaseline,
  seLinux,
  sysctls,
  windowsHostProcess,
]

export const restricted: readonly Check[] = [...both, escalation, capabilities, volumeTypes, runAsNonRoot, runAsUser, seccompRestricted]
