import { duplicate, type FieldError, forbiddenField, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import { isDnsLabel } from '../../machinery/names.ts'
import type { V1DownwardAPIVolumeFile, V1KeyToPath, V1ProjectedVolumeSource, V1Volume } from '../../machinery/schema/generated/types.ts'
import { isDescendingPath, isFilePathInVolume } from '../formats.ts'
import { quantityOrNothing } from '../resource-list.ts'
import { validateFieldRef, validateResourceFieldRef } from './downward-references.ts'

const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket']
const fieldPaths = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid']
const resources = ['limits.cpu', 'limits.ephemeral-storage', 'limits.memory', 'requests.cpu', 'requests.ephemeral-storage', 'requests.memory']

export function validateVolumes(volumes: readonly V1Volume[] | undefined, at: string): { errors: FieldError[]; byName: Map<string, V1Volume> } {
  const errors: FieldError[] = []
  const byName = new Map<string, V1Volume>()
  volumes?.forEach((volume, index) => {
    const here = `${at}[${index}]`
    errors.push(...validateSource(volume, here))
    if (!volume.name) errors.push(required(`${here}.name`))
    else if (byName.has(volume.name)) errors.push(duplicate(`${here}.name`, volume.name))
    else for (const message of isDnsLabel(volume.name)) errors.push(invalidValue(`${here}.name`, volume.name, message))
    if (volume.name) byName.set(volume.name, volume)
  })
  return { errors, byName }
}

function validateSource(volume: V1Volume, at: string): FieldError[] {
  const kinds = Object.keys(volume).filter((key) => key !== 'name')
  if (kinds.length === 0) return [required(at, 'must specify a volume type')]
  const errors = kinds.slice(1).map((kind) => forbiddenField(`${at}.${kind}`, 'may not specify more than 1 volume type'))
  const { emptyDir, hostPath, secret, configMap, persistentVolumeClaim, nfs, projected, downwardAPI, csi } = volume
  if (emptyDir?.sizeLimit && (quantityOrNothing(emptyDir.sizeLimit)?.nanos ?? -1n) < 0n)
    errors.push(forbiddenField(`${at}.emptyDir.sizeLimit`, 'SizeLimit field must be a valid resource quantity'))
  if (hostPath) {
    if (!hostPath.path) errors.push(required(`${at}.hostPath.path`))
    else if (hostPath.path.split('/').includes('..')) errors.push(invalidValue(`${at}.hostPath.path`, hostPath.path, "must not contain '..'"))
    if (hostPath.type && !hostPathTypes.includes(hostPath.type)) errors.push(notSupported(`${at}.hostPath.type`, hostPath.type, hostPathTypes))
  }
  if (secret) {
    if (!secret.secretName) errors.push(required(`${at}.secret.secretName`))
    errors.push(...validateMode(secret.defaultMode, `${at}.secret.defaultMode`), ...validateItems(secret.items, `${at}.secret.items`))
  }
  if (configMap) {
    if (!configMap.name) errors.push(required(`${at}.configMap.name`))
    errors.push(...validateMode(configMap.defaultMode, `${at}.configMap.defaultMode`), ...validateItems(configMap.items, `${at}.configMap.items`))
  }
  if (persistentVolumeClaim && !persistentVolumeClaim.claimName) errors.push(required(`${at}.persistentVolumeClaim.claimName`))
  if (nfs) {
    if (!nfs.server) errors.push(required(`${at}.nfs.server`))
    if (!nfs.path) errors.push(required(`${at}.nfs.path`))
    else if (!nfs.path.startsWith('/')) errors.push(invalidValue(`${at}.nfs.path`, nfs.path, 'must be an absolute path'))
  }
  if (downwardAPI) {
    errors.push(...validateMode(downwardAPI.defaultMode, `${at}.downwardAPI.defaultMode`))
    for (const item of downwardAPI.items ?? []) errors.push(...validateDownwardItem(item, `${at}.downwardAPI`))
  }
  if (csi && !csi.driver) errors.push(required(`${at}.csi.driver`))
  if (projected) errors.push(...validateProjected(projected, `${at}.projected`))
  if (volume.ephemeral && !volume.ephemeral.volumeClaimTemplate) errors.push(required(`${at}.ephemeral.volumeClaimTemplate`))
  return errors
}

function validateProjected(projected: V1ProjectedVolumeSource, at: string): FieldError[] {
  const errors = validateMode(projected.defaultMode, `${at}.defaultMode`)
  const paths = new Set<string>()
  const place = (path: string | undefined, here: string) => {
    if (!path) return
    if (paths.has(path)) errors.push(invalidValue(here, path, 'conflicting duplicate paths'))
    paths.add(path)
  }
  projected.sources?.forEach((source, index) => {
    const here = `${at}.sources[${index}]`
    for (const kind of Object.keys(source).slice(1)) errors.push(forbiddenField(`${here}.${kind}`, 'may not specify more than 1 volume type'))
    for (const kind of ['secret', 'configMap'] as const) {
      const one = source[kind]
      if (!one) continue
      if (!one.name) errors.push(required(`${here}.${kind}.name`))
      errors.push(...validateItems(one.items, `${here}.${kind}.items`))
      for (const item of one.items ?? []) place(item.path, `${here}.${kind}.items`)
    }
    for (const item of source.downwardAPI?.items ?? []) {
      errors.push(...validateDownwardItem(item, `${here}.downwardAPI`))
      place(item.path, `${here}.downwardAPI.items`)
    }
    const token = source.serviceAccountToken
    if (token) {
      const seconds = token.expirationSeconds ?? 3600
      if (seconds < 600) errors.push(invalidValue(`${here}.serviceAccountToken.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'))
      if (seconds > 2 ** 32)
        errors.push(invalidValue(`${here}.serviceAccountToken.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'))
      if (!token.path) errors.push(required(`${here}.serviceAccountToken.path`))
      else {
        for (const message of isFilePathInVolume(token.path)) errors.push(invalidValue(`${here}.serviceAccountToken.path`, token.path, message))
        place(token.path, `${here}.serviceAccountToken.path`)
      }
    }
  })
  return errors
}

function validateItems(items: readonly V1KeyToPath[] | undefined, at: string): FieldError[] {
  const errors: FieldError[] = []
  items?.forEach((item, index) => {
    const here = `${at}[${index}]`
    if (!item.key) errors.push(required(`${here}.key`))
    if (!item.path) errors.push(required(`${here}.path`))
    else for (const message of isFilePathInVolume(item.path)) errors.push(invalidValue(`${here}.path`, item.path, message))
    errors.push(...validateMode(item.mode, `${here}.mode`))
  })
  return errors
}

function validateDownwardItem(item: V1DownwardAPIVolumeFile, at: string): FieldError[] {
  const errors: FieldError[] = []
  if (!item.path) errors.push(required(`${at}.path`))
  else for (const message of isDescendingPath(item.path)) errors.push(invalidValue(`${at}.path`, item.path, message))
  if (item.fieldRef) {
    errors.push(...validateFieldRef(item.fieldRef, fieldPaths, `${at}.fieldRef`))
    if (item.resourceFieldRef) errors.push(invalidValue(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'))
  } else if (item.resourceFieldRef) errors.push(...validateResourceFieldRef(item.resourceFieldRef, resources, `${at}.resourceFieldRef`, true))
  else errors.push(required(`${at}.fieldRef`, 'one of fieldRef and resourceFieldRef is required'))
  errors.push(...validateMode(item.mode, `${at}.mode`))
  return errors
}

function validateMode(mode: number | undefined, at: string): FieldError[] {
  return mode === undefined || (mode >= 0 && mode <= 0o777) ? [] : [invalidValue(at, mode, 'must be a number between 0 and 0777 (octal), both inclusive')]
}
