import type { Client } from '../client/client.ts'
import { Node } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'

/** The instance is gone: so is the object that stood for it. A node of the same name that came since is left alone. */
export async function deleteNode(client: Client, { name, uid }: { name: string; uid: string }): Promise<void> {
  try {
    await client.delete(Node, { name }, { preconditions: { uid } })
  } catch (error) {
    if (!isApiError(error, 'NotFound') && !isApiError(error, 'Conflict')) throw error
  }
}
