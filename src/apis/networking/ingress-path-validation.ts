import { type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import { isDns1035Label } from '../../machinery/names.ts'
import type { V1HTTPIngressPath, V1IngressBackend } from '../../machinery/schema/generated/types.ts'
import { isPortName, isPortNumber } from '../formats.ts'

const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix']
/** What would make two spellings of one path. */
const sequences = ['//', '/./', '/../', '%2f', '%2F']
const suffixes = ['/..', '/.']

export function validatePath({ path = '', pathType, backend }: V1HTTPIngressPath, at: string): FieldError[] {
  if (!pathType) return [required(`${at}.pathType`, 'pathType must be specified')]
  const errors: FieldError[] = []
  if (pathType === 'Exact' || pathType === 'Prefix') {
    if (!path.startsWith('/')) errors.push(invalidValue(`${at}.path`, path, 'must be an absolute path'))
    for (const sequence of sequences) if (path.includes(sequence)) errors.push(invalidValue(`${at}.path`, path, `must not contain '${sequence}'`))
    for (const suffix of suffixes) if (path.endsWith(suffix)) errors.push(invalidValue(`${at}.path`, path, `cannot end with '${suffix}'`))
  } else if (pathType === 'ImplementationSpecific') {
    if (path !== '' && !path.startsWith('/')) errors.push(invalidValue(`${at}.path`, path, 'must be an absolute path'))
  } else errors.push(notSupported(`${at}.pathType`, pathType, pathTypes))
  errors.push(...validateBackend(backend ?? {}, `${at}.backend`))
  return errors
}

export function validateBackend({ service, resource }: V1IngressBackend, at: string): FieldError[] {
  if (resource) {
    if (service) return [invalidValue(at, '', 'cannot set both resource and service backends')]
    return (['kind', 'name'] as const).filter((field) => !resource[field]).map((field) => required(`${at}.resource.${field}`))
  }
  if (!service) return [invalidValue(at, '', 'resource or service backend is required')]
  const errors: FieldError[] = []
  if (!service.name) errors.push(required(`${at}.service.name`))
  else for (const message of isDns1035Label(service.name)) errors.push(invalidValue(`${at}.service.name`, service.name, message))
  const { name, number } = service.port ?? {}
  if (name && number) errors.push(invalidValue(at, '', 'cannot set both port name & port number'))
  else if (name) for (const message of isPortName(name)) errors.push(invalidValue(`${at}.service.port.name`, name, message))
  else if (number) for (const message of isPortNumber(number)) errors.push(invalidValue(`${at}.service.port.number`, number, message))
  else errors.push(required(at, 'port name or number is required'))
  return errors
}
