import type { Client, ResourceRef } from '../client/client.ts'
import { isApiError } from '../machinery/errors.ts'
import type { KubeObject, New } from '../machinery/object.ts'

/** Made where missing; what a user changed stays as it is. */
export async function ensure<T extends KubeObject>(client: Client, resource: ResourceRef<T>, object: New<T>): Promise<void> {
  try {
    await client.create(resource, object)
  } catch (error) {
    if (!isApiError(error, 'AlreadyExists')) throw error
  }
}
