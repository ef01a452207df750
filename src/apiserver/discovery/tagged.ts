/** Documents that clients keep and ask again for: encoded once, and answered by 304 to who has them already. */
import { createHash } from 'node:crypto'
import type { ApiRequest, ApiResponse } from '../request.ts'

export interface TaggedDocument {
  contentType: string
  body: string | Uint8Array
  etag: string
}

export const tagged = (contentType: string, document: unknown): TaggedDocument => taggedBody(contentType, JSON.stringify(document))

export function taggedBody(contentType: string, body: string | Uint8Array): TaggedDocument {
  return { contentType, body, etag: `"${createHash('sha256').update(body).digest('hex').toUpperCase()}"` }
}

export function answer(request: ApiRequest, document: TaggedDocument, headers: Record<string, string> = {}): ApiResponse {
  const known = request.headers['if-none-match']?.split(',').some((one) => one.trim() === document.etag || one.trim() === `W/${document.etag}`)
  const told = { etag: document.etag, vary: 'Accept', 'cache-control': 'public', ...headers }
  if (known) return { kind: 'bytes', status: 304, contentType: document.contentType, bytes: '', headers: told }
  return { kind: 'bytes', status: 200, contentType: document.contentType, bytes: document.body, headers: told }
}

/** Keeps documents by name until the generation of what they are made from has changed. */
export class TaggedDocuments {
  readonly #generation: () => number
  readonly #documents = new Map<string, TaggedDocument>()
  #made = -1

  constructor(generation: () => number) {
    this.#generation = generation
  }

  get(name: string, make: () => TaggedDocument | undefined): TaggedDocument | undefined {
    const generation = this.#generation()
    if (generation !== this.#made) {
      this.#documents.clear()
      this.#made = generation
    }
    const kept = this.#documents.get(name)
    if (kept) return kept
    const made = make()
    if (made) this.#documents.set(name, made)
    return made
  }
}
