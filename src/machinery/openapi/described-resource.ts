/** What the documents have to know of a resource; `Resource` of `apis/` satisfies it. */
export interface DescribedResource {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
  readonly model: string
  readonly verbs: readonly string[]
  readonly subresources: readonly DescribedSubresource[]
}

export interface DescribedSubresource {
  readonly name: string
  readonly model?: string
  readonly kind?: string
  readonly group?: string
  readonly version?: string
  readonly verbs: readonly string[]
}

export interface GroupVersionKind {
  group: string
  version: string
  kind: string
}
