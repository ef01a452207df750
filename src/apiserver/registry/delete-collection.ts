/** DELETE of all that match; objects that go meanwhile are no error. */
import { isApiError } from '../../machinery/errors.ts'
import type { AnyObject, ObjectList } from '../../machinery/object.ts'
import type { Selection } from '../watch-cache/selection.ts'
import { deleteObject } from './delete.ts'
import type { DeleteOptions } from './deletion.ts'
import { listObjects } from './list.ts'
import type { ListOptions } from './list-options.ts'
import type { Registry } from './registry.ts'
import type { WriteRequest } from './write-request.ts'

const atOnce = 16

export async function deleteCollection(
  registry: Registry,
  request: WriteRequest,
  selection: Selection,
  list: ListOptions,
  options: DeleteOptions,
): Promise<ObjectList<AnyObject>> {
  const found = await listObjects(registry, selection, list)
  const deleted: AnyObject[] = []
  for (let i = 0; i < found.items.length; i += atOnce) {
    const batch = found.items.slice(i, i + atOnce).map(async ({ metadata }) => {
      try {
        const { object } = await deleteObject(registry, request, metadata.namespace ?? '', metadata.name, options)
        deleted.push(object)
      } catch (error) {
        if (!isApiError(error, 'NotFound') && !isApiError(error, 'Conflict')) throw error
      }
    })
    await Promise.all(batch)
  }
  return { ...found, items: deleted }
}
