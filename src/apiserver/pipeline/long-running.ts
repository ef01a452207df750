import type { RequestInfo } from '../request.ts'

const verbs = new Set(['watch'])
const subresources = new Set(['attach', 'exec', 'log', 'portforward', 'proxy'])

/** Requests that last as long as their client likes: neither counted as in flight nor ended by a time. */
export const isLongRunning = ({ verb, subresource }: RequestInfo): boolean => verbs.has(verb) || subresources.has(subresource)
