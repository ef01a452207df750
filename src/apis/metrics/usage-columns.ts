import { nameColumn, text } from '../columns.ts'
import type { Column } from '../resource.ts'
import type { Usage } from './node-metrics.ts'

type Measured = { metadata: { name?: string }; window: string }

/** As `kubectl get` shows measured objects. */
export const usageColumns = <T extends Measured>(usageOf: (object: T) => Usage): readonly Column<T>[] => [
  nameColumn as Column<T>,
  text<T>('cpu', (object) => usageOf(object).cpu ?? ''),
  text<T>('memory', (object) => usageOf(object).memory ?? ''),
  text<T>('Window', ({ window }) => window),
]
