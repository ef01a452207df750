import { type FieldError, forbiddenField, notSupported } from '../../machinery/field-error.ts'

const abbreviations: Record<string, string> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' }
const modes = Object.keys(abbreviations)

/** `RWO,RWX`, each once, in the usual order. */
export const accessModesText = (given: readonly string[] | undefined): string =>
  modes
    .filter((mode) => given?.includes(mode))
    .map((mode) => abbreviations[mode])
    .join(',')

export function validateAccessModes(given: readonly string[] | undefined, at: string): FieldError[] {
  const errors = (given ?? []).filter((mode) => !modes.includes(mode)).map((mode) => notSupported(at, mode, modes))
  if (given?.includes('ReadWriteOncePod') && given.length > 1) errors.push(forbiddenField(at, 'may not use ReadWriteOncePod with other access modes'))
  return errors
}
