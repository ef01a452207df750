/** The {@link RequestContext} of one request. */
import type { Resource } from '../../apis/resource.ts'
import type { Cause } from '../../client/client.ts'
import { badRequest } from '../../machinery/errors.ts'
import type { AnyObject } from '../../machinery/object.ts'
import { causeOf } from '../causes.ts'
import type { RequestContext } from '../contracts.ts'
import type { BodyDecoder } from '../negotiation/body.ts'
import type { ApiRequest, RequestInfo, UserInfo } from '../request.ts'

/** More of them, and the answer's head grows too large for clients. */
const maxWarnings = 64

export class RequestScope implements RequestContext {
  readonly request: ApiRequest
  readonly info: RequestInfo
  readonly user: UserInfo
  readonly resource: Resource | undefined
  readonly requestId: string
  warnings: string[] | undefined
  duplicates: readonly string[] = []
  readonly #bodies: BodyDecoder
  #cause: Cause | undefined

  constructor(request: ApiRequest, info: RequestInfo, user: UserInfo, resource: Resource | undefined, requestId: string, bodies: BodyDecoder) {
    this.request = request
    this.info = info
    this.user = user
    this.resource = resource
    this.requestId = requestId
    this.#bodies = bodies
  }

  get cause(): Cause | undefined {
    this.#cause ??= causeOf(this.request)
    return this.#cause
  }

  set cause(cause: Cause | undefined) {
    this.#cause = cause
  }

  warn(message: string): void {
    this.warnings ??= []
    if (this.warnings.length < maxWarnings && !this.warnings.includes(message)) this.warnings.push(message)
  }

  async body(): Promise<AnyObject | undefined> {
    const body = await this.#bodies.read(this.request)
    if (body !== undefined && (typeof body !== 'object' || body === null || Array.isArray(body))) throw badRequest('the body must be an object')
    this.duplicates = this.#bodies.duplicatesOf(body)
    return body as AnyObject | undefined
  }
}
