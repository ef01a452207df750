import type { V1Scale } from '../../machinery/schema/generated/types.ts'
import { ageColumn, integer, nameColumn } from '../columns.ts'
import type { Column } from '../resource.ts'

/** Of the scale subresource, whichever resource it is of. */
export const scaleColumns: readonly Column<V1Scale>[] = [
  nameColumn,
  integer('Desired', ({ spec }) => spec?.replicas),
  integer('Available', ({ status }) => status?.replicas),
  ageColumn,
]
