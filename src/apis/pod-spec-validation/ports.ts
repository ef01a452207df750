import { duplicate, type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import type { V1Container, V1ContainerPort } from '../../machinery/schema/generated/types.ts'
import { isIpAddress, isPortName, isPortNumber } from '../formats.ts'

export const protocols: readonly string[] = ['SCTP', 'TCP', 'UDP']

export function validatePorts(ports: readonly V1ContainerPort[] | undefined, at: string): FieldError[] {
  const errors: FieldError[] = []
  const names = new Set<string>()
  ports?.forEach((port, index) => {
    const here = `${at}[${index}]`
    if (port.name) {
      const wrong = isPortName(port.name)
      for (const message of wrong) errors.push(invalidValue(`${here}.name`, port.name, message))
      if (wrong.length === 0) {
        if (names.has(port.name)) errors.push(duplicate(`${here}.name`, port.name))
        names.add(port.name)
      }
    }
    if (!port.containerPort) errors.push(required(`${here}.containerPort`))
    else for (const message of isPortNumber(port.containerPort)) errors.push(invalidValue(`${here}.containerPort`, port.containerPort, message))
    if (port.hostPort) for (const message of isPortNumber(port.hostPort)) errors.push(invalidValue(`${here}.hostPort`, port.hostPort, message))
    if (port.hostIP) for (const message of isIpAddress(port.hostIP)) errors.push(invalidValue(`${here}.hostIP`, port.hostIP, message))
    if (!port.protocol) errors.push(required(`${here}.protocol`))
    else if (!protocols.includes(port.protocol)) errors.push(notSupported(`${here}.protocol`, port.protocol, protocols))
  })
  return errors
}

/** No two containers of a pod may ask for the same port of the node; with the host's network both numbers are one. */
export function validateHostPorts(containers: readonly V1Container[], hostNetwork: boolean, at: string): FieldError[] {
  const errors: FieldError[] = []
  const taken = new Set<string>()
  containers.forEach((container, index) => {
    container.ports?.forEach((port, portIndex) => {
      const here = `${at}[${index}].ports[${portIndex}]`
      if (!port.hostPort) return
      const key = `${port.protocol}/${port.hostIP ?? ''}/${port.hostPort}`
      if (taken.has(key)) errors.push(duplicate(`${here}.hostPort`, key))
      taken.add(key)
      if (hostNetwork && port.hostPort !== port.containerPort)
        errors.push(invalidValue(`${here}.containerPort`, port.containerPort, 'must match `hostPort` when `hostNetwork` is true'))
    })
  })
  return errors
}
