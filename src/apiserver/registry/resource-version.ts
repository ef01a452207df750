/** The resourceVersion of a read: what it may mean, and waiting for one that this server has not seen yet. */
import { ApiError, badRequest } from '../../machinery/errors.ts'
import type { CacheFeed } from '../watch-cache/cache-feed.ts'

const longestWait = 3000

/** 0 for absent or "0". */
export function parseResourceVersion(text: string | null): number {
  if (text === null || text === '' || text === '0') return 0
  if (!/^\d+$/.test(text))
    throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

/** Resolves once reads show at least `revision`; throws 504 when that is not soon. */
export async function notOlderThan(feed: CacheFeed, revision: number): Promise<void> {
  if (revision <= feed.revision || (await feed.reached(revision, longestWait))) return
  throw tooLarge(revision, feed.revision)
}

export function tooLarge(revision: number, current: number): ApiError {
  const message = `Too large resource version: ${revision}, current: ${current}`
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `Timeout: ${message}`,
    reason: 'Timeout',
    details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1 },
    code: 504,
  })
}
