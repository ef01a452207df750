/** Finds the handler of a request that the registry does not serve. */
import type { RequestHandler } from '../contracts.ts'
import type { RequestInfo } from '../request.ts'

export class HandlerTable {
  readonly #paths = new Map<string, RequestHandler>()
  readonly #below: [string, RequestHandler][] = []
  readonly #resources = new Map<string, RequestHandler>()

  constructor(handlers: readonly RequestHandler[]) {
    for (const handler of handlers) {
      for (const path of handler.paths ?? []) {
        if (!path.endsWith('/*')) this.#paths.set(path, handler)
        else {
          this.#paths.set(path.slice(0, -2), handler)
          this.#below.push([path.slice(0, -1), handler])
        }
      }
      for (const name of handler.resources ?? []) this.#resources.set(name, handler)
    }
    // The longest prefix is asked first.
    this.#below.sort(([a], [b]) => b.length - a.length)
  }

  find(info: RequestInfo): RequestHandler | undefined {
    if (info.isResourceRequest) {
      const { resource, group, subresource } = info
      if (this.#resources.size === 0) return undefined
      const name = group ? `${resource}.${group}` : resource
      return this.#resources.get(subresource ? `${name}/${subresource}` : name)
    }
    const path = info.path.length > 1 && info.path.endsWith('/') ? info.path.slice(0, -1) : info.path
    return this.#paths.get(path) ?? this.#below.find(([prefix]) => info.path.startsWith(prefix))?.[1]
  }

  /** Paths that are served, for the root's list. */
  paths(): string[] {
    return [...this.#paths.keys()]
  }
}
