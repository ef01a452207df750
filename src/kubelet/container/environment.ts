/**
 * The environment of a container. Later ones win: Services of its namespace and the API's, `envFrom` in order,
 * `env` in order, each of which may name those before it.
 */
import type { V1Container, V1EnvVar, V1FileKeySelector, V1Pod, V1Service } from '../../machinery/schema/generated/types.ts'
import type { NodeFiles } from '../files/node-files.ts'
import type { ReferencedObjects } from '../referenced-objects.ts'
import { readEnvFile } from './env-file.ts'
import { expand } from './expansion.ts'
import { fieldValue, resourceValue } from './field-values.ts'
import { serviceEnvironment } from './service-environment.ts'
import { configError, messageOf } from './start-error.ts'

export interface EnvironmentSources {
  objects: ReferencedObjects
  services(namespace: string): readonly V1Service[]
  allocatable: Record<string, string>
  podIPs: string[]
  hostIPs: string[]
  files: NodeFiles
  /** The pod's, by name. */
  volumes: ReadonlyMap<string, { path: string }>
}

/** Throws a CreateContainerConfigError when something that is not optional is missing. */
export async function environmentOf(pod: V1Pod, container: V1Container, sources: EnvironmentSources): Promise<Map<string, string>> {
  const result = new Map<string, string>()
  const services = serviceEnvironment(pod, sources.services)
  for (const { configMapRef, secretRef, prefix = '' } of container.envFrom ?? []) {
    const data = configMapRef
      ? (await sources.objects.configMap(pod, configMapRef.name ?? '', configMapRef.optional))?.data
      : secretRef
        ? decoded((await sources.objects.secret(pod, secretRef.name ?? '', secretRef.optional))?.data)
        : undefined
    for (const [key, value] of Object.entries(data ?? {})) result.set(prefix + key, value)
  }
  const known = new Map([...services, ...result])
  for (const variable of container.env ?? []) {
    const value = await variableValue(pod, container, variable, known, sources)
    if (value === undefined) continue
    result.set(variable.name, value)
    known.set(variable.name, value)
  }
  for (const [name, value] of services) if (!result.has(name)) result.set(name, value)
  return result
}

async function variableValue(
  pod: V1Pod,
  container: V1Container,
  variable: V1EnvVar,
  known: Map<string, string>,
  sources: EnvironmentSources,
): Promise<string | undefined> {
  const { value, valueFrom } = variable
  if (!valueFrom) return expand(value ?? '', known)
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef, fileKeyRef } = valueFrom
  try {
    if (fieldRef) return fieldValue(pod, fieldRef, sources)
    if (resourceFieldRef) return resourceValue(pod, resourceFieldRef, container.name, sources.allocatable)
  } catch (error) {
    throw configError(messageOf(error))
  }
  if (configMapKeyRef) {
    const { name = '', key, optional } = configMapKeyRef
    const data = (await sources.objects.configMap(pod, name, optional))?.data
    return missingKey(data?.[key], optional, `couldn't find key ${key} in ConfigMap ${pod.metadata.namespace}/${name}`)
  }
  if (secretKeyRef) {
    const { name = '', key, optional } = secretKeyRef
    const data = decoded((await sources.objects.secret(pod, name, optional))?.data)
    return missingKey(data?.[key], optional, `couldn't find key ${key} in Secret ${pod.metadata.namespace}/${name}`)
  }
  if (fileKeyRef) return fileValue(fileKeyRef, sources)
  return undefined
}

async function fileValue({ volumeName, path, key, optional }: V1FileKeySelector, { files, volumes }: EnvironmentSources): Promise<string | undefined> {
  const volume = volumes.get(volumeName)
  if (!volume) throw configError(`cannot find the volume ${JSON.stringify(volumeName)} referenced by FileKeyRef`)
  const found = await readEnvFile(files, volume.path, path).catch((error: unknown) => {
    throw configError(`couldn't parse env file ${JSON.stringify(path)} of volume ${JSON.stringify(volumeName)}: ${messageOf(error)}`)
  })
  return missingKey(found?.get(key), optional, `environment variable key ${JSON.stringify(key)} not found in file ${JSON.stringify(path)}`)
}

function missingKey(value: string | undefined, optional: boolean | undefined, message: string): string | undefined {
  if (value === undefined && !optional) throw configError(message)
  return value
}

const decoded = (data: Record<string, string> | undefined) =>
  data && Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
