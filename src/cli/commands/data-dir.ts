import { dataDirectory } from '../../cluster/data-directory.ts'
import type { Option, Values } from '../command.ts'

/** The option that says which cluster is meant. */
export const dataDirOption: Option = {
  type: 'string',
  value: 'DIRECTORY',
  default: process.env.SKIFF_DATA_DIR ?? '/var/lib/skiff',
  help: 'where all that must survive is kept',
}

export const dataDirOf = (values: Values) => dataDirectory(String(values['data-dir']))
