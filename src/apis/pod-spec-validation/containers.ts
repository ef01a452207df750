import { duplicate, type FieldError, forbiddenField, invalidValue, notFoundValue, notSupported, required } from '../../machinery/field-error.ts'
import { isDnsLabel } from '../../machinery/names.ts'
import type { V1Container, V1EphemeralContainer, V1PodSpec, V1Volume } from '../../machinery/schema/generated/types.ts'
import { validateEnv, validateEnvFrom, validatePullPolicy } from './environment.ts'
import { validatePorts } from './ports.ts'
import { validateLifecycle, validateProbe } from './probes.ts'
import { validateResources } from './resources.ts'
import { validateSecurityContext } from './security-context.ts'
import { validateVolumeMounts } from './volume-mounts.ts'

const terminationPolicies = ['FallbackToLogsOnError', 'File']
const restartPolicies = ['Always', 'Never', 'OnFailure']

/** What the checks of one container must know of its pod. */
export interface PodScope {
  volumes: ReadonlyMap<string, V1Volume>
  gracePeriod: number | undefined
  /** Names that are taken, over all lists of containers. */
  names: Set<string>
}

export function validateContainers(containers: readonly V1Container[], scope: PodScope, at: string): FieldError[] {
  const errors: FieldError[] = []
  containers.forEach((container, index) => {
    const here = `${at}[${index}]`
    errors.push(...validateCommon(container, scope, here), ...validateRunning(container, scope, here), ...validateRestartPolicy(container, here))
  })
  return errors
}

export function validateInitContainers(containers: readonly V1Container[], scope: PodScope, at: string): FieldError[] {
  const errors: FieldError[] = []
  containers.forEach((container, index) => {
    const here = `${at}[${index}]`
    errors.push(...validateCommon(container, scope, here), ...validateRestartPolicy(container, here))
    if (container.restartPolicy === 'Always') errors.push(...validateRunning(container, scope, here))
    else
      for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const)
        if (container[field]) errors.push(forbiddenField(`${here}.${field}`, 'may not be set for init containers without restartPolicy=Always'))
  })
  return errors
}

/** Ephemeral containers may have only what makes sense for looking into a running pod. */
export function validateEphemeralContainers(spec: V1PodSpec, scope: PodScope, at: string): FieldError[] {
  const errors: FieldError[] = []
  const targets = new Set([...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((one) => one.name))
  spec.ephemeralContainers?.forEach((container, index) => {
    const here = `${at}[${index}]`
    errors.push(...validateCommon(container, scope, here))
    if (container.targetContainerName && !targets.has(container.targetContainerName))
      errors.push(notFoundValue(`${here}.targetContainerName`, container.targetContainerName))
    for (const field of ['ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'] as const)
      if (container[field]) errors.push(forbiddenField(`${here}.${field}`, 'cannot be set for an Ephemeral Container'))
    if (Object.keys(container.resources ?? {}).length > 0) errors.push(forbiddenField(`${here}.resources`, 'cannot be set for an Ephemeral Container'))
    container.volumeMounts?.forEach((mount, mountIndex) => {
      for (const field of ['subPath', 'subPathExpr'] as const)
        if (mount[field]) errors.push(forbiddenField(`${here}.volumeMounts[${mountIndex}].${field}`, 'cannot be set for an Ephemeral Container'))
    })
  })
  return errors
}

function validateCommon(container: V1Container | V1EphemeralContainer, scope: PodScope, at: string): FieldError[] {
  const errors: FieldError[] = []
  const { name } = container
  if (!name) errors.push(required(`${at}.name`))
  else {
    for (const message of isDnsLabel(name)) errors.push(invalidValue(`${at}.name`, name, message))
    if (scope.names.has(name)) errors.push(duplicate(`${at}.name`, name))
    scope.names.add(name)
  }
  if (!container.image) errors.push(required(`${at}.image`))
  const policy = container.terminationMessagePolicy
  if (!policy) errors.push(required(`${at}.terminationMessagePolicy`))
  else if (!terminationPolicies.includes(policy)) errors.push(notSupported(`${at}.terminationMessagePolicy`, policy, terminationPolicies))
  errors.push(
    ...validatePorts(container.ports, `${at}.ports`),
    ...validateEnv(container.env, `${at}.env`),
    ...validateEnvFrom(container.envFrom, `${at}.envFrom`),
    ...validateVolumeMounts(container, scope.volumes, at),
    ...validatePullPolicy(container.imagePullPolicy, `${at}.imagePullPolicy`),
    ...validateResources(container.resources, `${at}.resources`),
    ...validateSecurityContext(container.securityContext, `${at}.securityContext`),
  )
  return errors
}

/** Of containers that run beside others: hooks and probes. */
function validateRunning(container: V1Container, scope: PodScope, at: string): FieldError[] {
  return [
    ...validateLifecycle(container.lifecycle, scope.gracePeriod, `${at}.lifecycle`),
    ...validateProbe(container.livenessProbe, 'liveness', `${at}.livenessProbe`),
    ...validateProbe(container.readinessProbe, 'readiness', `${at}.readinessProbe`),
    ...validateProbe(container.startupProbe, 'startup', `${at}.startupProbe`),
  ]
}

function validateRestartPolicy({ restartPolicy }: V1Container, at: string): FieldError[] {
  return restartPolicy === undefined || restartPolicies.includes(restartPolicy) ? [] : [notSupported(`${at}.restartPolicy`, restartPolicy, restartPolicies)]
}
