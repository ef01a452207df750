import { duplicate, type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import type { V1PodSecurityContext, V1PodSpec, V1SeccompProfile, V1SecurityContext } from '../../machinery/schema/generated/types.ts'
import { isDescendingPath } from '../formats.ts'

const maxId = 2147483647
const idRange = `must be between 0 and ${maxId}, inclusive`

/** Parts between dots or slashes, as in `net.ipv4.tcp_rmem` and `net/ipv4/tcp_rmem`. */
const sysctlName = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/

function validateIds<T extends object>(context: T, fields: readonly (keyof T & string)[], at: string): FieldError[] {
  const errors: FieldError[] = []
  for (const field of fields) {
    const id = context[field]
    if (typeof id === 'number' && (id < 0 || id > maxId)) errors.push(invalidValue(`${at}.${field}`, id, idRange))
  }
  return errors
}

export function validateSecurityContext(context: V1SecurityContext | undefined, at: string): FieldError[] {
  if (!context) return []
  const errors = validateIds(context, ['runAsUser', 'runAsGroup'], at)
  errors.push(...validateSeccomp(context.seccompProfile, `${at}.seccompProfile`))
  if (context.procMount && !['Default', 'Unmasked'].includes(context.procMount))
    errors.push(notSupported(`${at}.procMount`, context.procMount, ['Default', 'Unmasked']))
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged) errors.push(invalidValue(at, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'))
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN'))
      errors.push(invalidValue(at, context, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'))
  }
  return errors
}

export function validatePodSecurityContext(context: V1PodSecurityContext | undefined, spec: V1PodSpec, at: string): FieldError[] {
  if (spec.hostPID && spec.shareProcessNamespace)
    return [invalidValue(`${at}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled')]
  if (!context) return []
  const errors = validateIds(context, ['fsGroup', 'runAsUser', 'runAsGroup'], at)
  context.supplementalGroups?.forEach((id, index) => {
    if (id < 0 || id > maxId) errors.push(invalidValue(`${at}.supplementalGroups[${index}]`, id, idRange))
  })
  const names = new Set<string>()
  context.sysctls?.forEach((sysctl, index) => {
    const here = `${at}.sysctls[${index}].name`
    if (!sysctl.name) errors.push(required(here))
    else if (!sysctlName.test(sysctl.name) || sysctl.name.length > 253)
      errors.push(
        invalidValue(
          here,
          sysctl.name,
          'must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$',
        ),
      )
    else if (names.has(sysctl.name)) errors.push(duplicate(here, sysctl.name))
    names.add(sysctl.name)
  })
  if (context.fsGroupChangePolicy && !['Always', 'OnRootMismatch'].includes(context.fsGroupChangePolicy))
    errors.push(notSupported(`${at}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ['Always', 'OnRootMismatch']))
  if (context.supplementalGroupsPolicy && !['Merge', 'Strict'].includes(context.supplementalGroupsPolicy))
    errors.push(notSupported(`${at}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, ['Merge', 'Strict']))
  errors.push(...validateSeccomp(context.seccompProfile, `${at}.seccompProfile`))
  return errors
}

function validateSeccomp(profile: V1SeccompProfile | undefined, at: string): FieldError[] {
  if (!profile) return []
  if (profile.type === 'Localhost') {
    if (!profile.localhostProfile) return [required(`${at}.localhostProfile`, 'must be set when seccomp type is Localhost')]
    return isDescendingPath(profile.localhostProfile).map((message) => invalidValue(`${at}.localhostProfile`, profile.localhostProfile, message))
  }
  if (profile.localhostProfile !== undefined)
    return [invalidValue(`${at}.localhostProfile`, profile.localhostProfile, 'can only be set when seccomp type is Localhost')]
  if (!profile.type) return [required(`${at}.type`, 'type is required when seccompProfile is set')]
  return ['RuntimeDefault', 'Unconfined'].includes(profile.type)
    ? []
    : [notSupported(`${at}.type`, profile.type, ['Localhost', 'RuntimeDefault', 'Unconfined'])]
}
