/** Amounts by resource name (`{cpu: '500m', memory: '1Gi'}`). */
import { canonicalQuantity, parseQuantity, type Quantity, QuantityError } from '../machinery/quantity.ts'

type ResourceList = Record<string, string>

/** The quantity, or undefined where the text is none: validation says so, arithmetic goes on. */
export function quantityOrNothing(text: string | number | undefined): Quantity | undefined {
  if (text === undefined) return undefined
  try {
    return parseQuantity(text)
  } catch (error) {
    if (error instanceof QuantityError) return undefined
    throw error
  }
}

/** What is wrong with the text of a quantity, if anything. */
export function quantityProblem(text: string | number): string | undefined {
  try {
    parseQuantity(text)
    return undefined
  } catch (error) {
    if (error instanceof QuantityError) return error.message
    throw error
  }
}

/** The canonical form, as upstream stores amounts (`0.5` as `500m`); what is no quantity stays for validation. */
export const canonicalOr = (text: string): string => (quantityOrNothing(text) ? canonicalQuantity(text) : text)

/** Writes each amount in its canonical form, in place. */
export function canonicalAmounts(list: ResourceList | undefined): void {
  for (const name in list) {
    const text = list[name]
    if (text !== undefined) list[name] = canonicalOr(text)
  }
}

/** Requests that are not given are the limits, in place. */
export function requestsFromLimits(resources: { requests?: ResourceList; limits?: ResourceList } | undefined): void {
  if (!resources?.limits) return
  resources.requests ??= {}
  for (const [name, amount] of Object.entries(resources.limits)) resources.requests[name] ??= amount
}
