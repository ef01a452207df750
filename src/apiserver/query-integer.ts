import { badRequest } from '../machinery/errors.ts'

/** A whole number out of the query; undefined when it is not there. Throws a bad request, in a Go client's words, for what is none. */
export function queryInteger(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}
