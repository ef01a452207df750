import type { ApiRequest } from './request.ts'

/** The name and port by which the client reached the server: a header in HTTP/1.1, a pseudo header in HTTP/2. */
export const hostOf = ({ headers }: ApiRequest): string | undefined => headers.host ?? headers[':authority']
