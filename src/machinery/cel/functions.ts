/** Calls a function by its name: of the language itself, or of one of the libraries that Kubernetes adds. */
import { addressFunctions } from './address-functions.ts'
import { conversionFunctions } from './conversion-functions.ts'
import { formatFunctions } from './format-functions.ts'
import { listFunctions } from './list-functions.ts'
import { quantityFunctions } from './quantity-functions.ts'
import { stringFunctions } from './string-functions.ts'
import { CelError } from './syntax.ts'
import { timeFunctions } from './time-functions.ts'
import type { CelValue } from './values.ts'

/** Functions by name, those of a receiver with a dot before it; undefined: not for these arguments. */
export type Functions = Readonly<Record<string, (...values: CelValue[]) => CelValue | undefined>>

const libraries: readonly Functions[] = [
  conversionFunctions,
  stringFunctions,
  listFunctions,
  timeFunctions,
  quantityFunctions,
  addressFunctions,
  formatFunctions,
]

export function callFunction(name: string, receiver: CelValue | undefined, given: CelValue[]): CelValue {
  const key = receiver === undefined ? name : `.${name}`
  const values = receiver === undefined ? given : [receiver, ...given]
  let known = false
  for (const library of libraries) {
    if (!Object.hasOwn(library, key)) continue
    known = true
    const found = library[key]?.(...values)
    if (found !== undefined) return found
  }
  throw new CelError(known ? 'no such overload' : `undeclared reference to '${name}' (in container '')`)
}
