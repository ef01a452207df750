/** What a verb of the registry knows of the request that asked for it. */

import type { Cause } from '../../client/client.ts'
import { managerOf } from '../../machinery/apply/tracking.ts'
import { badRequest } from '../../machinery/errors.ts'
import { causeOf } from '../causes.ts'
import type { RequestContext } from '../contracts.ts'
import type { UserInfo } from '../request.ts'

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

export interface WriteRequest {
  verb: 'create' | 'update' | 'patch' | 'apply' | 'delete'
  subresource: string
  user: UserInfo
  userAgent: string
  requestId: string
  cause: Cause | undefined
  dryRun: boolean
  /** Who owns the fields that this write sets. */
  fieldManager: string
  fieldValidation: FieldValidation
  /** What is to be said of fields that stood twice in the body. Read after the body is. */
  readonly duplicates?: readonly string[]
  /** As admission sees them. */
  options: Record<string, unknown>
  warn(message: string): void
  /** The client did not wait; a write not yet begun need not be. */
  signal: AbortSignal
}

export function writeRequest(context: RequestContext, verb: WriteRequest['verb']): WriteRequest {
  const { request, info, user } = context
  const { query } = request
  const fieldManager = query.get('fieldManager') ?? ''
  if (fieldManager.length > 128) throw badRequest('metadata.fieldManager: Too long: may not be more than 128 bytes')
  const userAgent = request.headers['user-agent'] ?? ''
  const dryRun = dryRunOf(query.getAll('dryRun'))
  return {
    verb,
    subresource: info.subresource,
    user,
    userAgent,
    requestId: context.requestId,
    cause: causeOf(request),
    dryRun,
    fieldManager: managerOf(fieldManager, userAgent),
    fieldValidation: fieldValidationOf(query.get('fieldValidation')),
    options: {
      ...(dryRun ? { dryRun: ['All'] } : {}),
      ...(fieldManager ? { fieldManager } : {}),
      ...(query.get('fieldValidation') ? { fieldValidation: query.get('fieldValidation') } : {}),
    },
    get duplicates() {
      return context.duplicates ?? []
    },
    warn: (message) => context.warn(message),
    signal: request.signal,
  }
}

export function dryRunOf(values: readonly string[]): boolean {
  const given = values.filter((value) => value !== '')
  const wrong = given.find((value) => value !== 'All')
  if (wrong !== undefined) throw badRequest(`dryRun: Unsupported value: ${JSON.stringify(wrong)}: supported values: "All"`)
  return given.length > 0
}

function fieldValidationOf(value: string | null): FieldValidation {
  switch (value) {
    case null:
    case '':
      return 'Warn'
    case 'Ignore':
    case 'Warn':
    case 'Strict':
      return value
    default:
      throw badRequest(`fieldValidation: Unsupported value: ${JSON.stringify(value)}: supported values: "Ignore", "Strict", "Warn"`)
  }
}
