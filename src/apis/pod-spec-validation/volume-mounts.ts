import { type FieldError, forbiddenField, invalidValue, notFoundValue, notSupported, required } from '../../machinery/field-error.ts'
import type { V1Container, V1EphemeralContainer, V1Volume } from '../../machinery/schema/generated/types.ts'
import { isDescendingPath } from '../formats.ts'

const propagations = ['Bidirectional', 'HostToContainer', 'None']

export function validateVolumeMounts(container: V1Container | V1EphemeralContainer, volumes: ReadonlyMap<string, V1Volume>, at: string): FieldError[] {
  const errors: FieldError[] = []
  const paths = new Set<string>()
  container.volumeMounts?.forEach((mount, index) => {
    const here = `${at}.volumeMounts[${index}]`
    if (!mount.name) errors.push(required(`${here}.name`))
    else if (!volumes.has(mount.name)) errors.push(notFoundValue(`${here}.name`, mount.name))
    if (!mount.mountPath) errors.push(required(`${here}.mountPath`))
    else if (paths.has(mount.mountPath)) errors.push(invalidValue(`${here}.mountPath`, mount.mountPath, 'must be unique'))
    paths.add(mount.mountPath)
    for (const field of ['subPath', 'subPathExpr'] as const) {
      const path = mount[field]
      if (path) for (const message of isDescendingPath(path)) errors.push(invalidValue(`${here}.${field}`, path, message))
    }
    if (mount.subPath && mount.subPathExpr)
      errors.push(invalidValue(`${here}.subPathExpr`, mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
    if (mount.mountPropagation !== undefined) {
      if (!propagations.includes(mount.mountPropagation)) errors.push(notSupported(`${here}.mountPropagation`, mount.mountPropagation, propagations))
      else if (mount.mountPropagation === 'Bidirectional' && !container.securityContext?.privileged)
        errors.push(forbiddenField(`${here}.mountPropagation`, 'Bidirectional mount propagation is available only to privileged containers'))
    }
  })
  container.volumeDevices?.forEach((device, index) => {
    const here = `${at}.volumeDevices[${index}]`
    if (!device.name) errors.push(required(`${here}.name`))
    else {
      const volume = volumes.get(device.name)
      if (!volume) errors.push(notFoundValue(`${here}.name`, device.name))
      else if (!volume.persistentVolumeClaim && !volume.ephemeral)
        errors.push(invalidValue(`${here}.name`, device.name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'))
    }
    if (!device.devicePath) errors.push(required(`${here}.devicePath`))
    else if (paths.has(device.devicePath))
      errors.push(invalidValue(`${here}.devicePath`, device.devicePath, 'must not already exist as a path in volumeMounts'))
  })
  return errors
}
