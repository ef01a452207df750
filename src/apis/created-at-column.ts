import type { Column } from './resource.ts'

/** For kinds whose tables show when, not how long ago. */
export const createdAtColumn: Column<{ metadata: { creationTimestamp?: string } }> = {
  name: 'Created At',
  value: (object) => object.metadata.creationTimestamp ?? '',
}
