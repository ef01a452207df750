/** What can go wrong between a joining node and its cluster, in one sentence each. */
import { ConnectionError } from '../../client/connection-error.ts'
import { isApiError } from '../../machinery/errors.ts'
import { UserError } from '../user-error.ts'

const newToken = "'skiff token create' on the server makes another"

export const tokenForm = () => new UserError(`the token has not the form ID.SECRET (six and sixteen characters of a-z and 0-9): ${newToken}`)
export const tokenUnknown = (id: string) => new UserError(`the cluster knows no token ${id}: it is wrong, has expired or was deleted; ${newToken}`)
export const tokenRefused = (id: string) => new UserError(`the cluster refused the token ${id}: it is wrong, has expired or was deleted; ${newToken}`)
export const otherAuthority = (server: string) =>
  new UserError(`the authority of the cluster at ${server} is not the one that --ca-hash names: this is another cluster, or somebody between`)
export const nameForm = (name: string) =>
  new UserError(
    `the name of a node has at most 63 characters of a-z, 0-9, '-' and '.', and begins and ends with one of the first two: choose one with --node-name, not '${name}'`,
  )
export const nameTaken = (name: string) =>
  new UserError(`a node '${name}' is in the cluster and ready: choose another name, or delete that one ('kubectl delete node ${name}')`)

/** TLS was refused by this side. */
export const isDistrust = (error: unknown): error is ConnectionError =>
  error instanceof ConnectionError && /CERT|ERR_TLS|UNABLE_TO_|SELF_SIGNED|SIGNATURE/.test(error.code)

export const isUnreachable = (error: unknown): error is ConnectionError => error instanceof ConnectionError && !isDistrust(error)

/** `token`: the id of the one that was shown; absent where a certificate was. */
export function explained(error: unknown, server: string, token?: string): unknown {
  if (isDistrust(error))
    return new UserError(
      error.code === 'ERR_TLS_CERT_ALTNAME_INVALID'
        ? `the certificate of the API server is not for the name or address in ${server}: use one that it is for`
        : `the certificate of ${server} is not of the cluster's authority (${error.code}): this is another cluster, or somebody between`,
    )
  if (error instanceof ConnectionError)
    return new UserError(`the API server at ${server} cannot be reached (${error.code}): is it running, and is this its address?`)
  if (isApiError(error, 'Unauthorized'))
    return token ? tokenRefused(token) : new UserError('the cluster does not accept the certificate of this node: it must join again with a token')
  if (isApiError(error, 'Forbidden')) return new UserError(`the cluster does not let this node join: ${error.message}`)
  if (isApiError(error)) return new UserError(`the API server at ${server} answers: ${error.message}`)
  return error
}
