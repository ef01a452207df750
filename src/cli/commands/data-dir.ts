import { type DataDirectory, dataDirectory } from '../../cluster/data-directory.ts'
import { UserError } from '../../cluster/user-error.ts'
import type { Option, Values } from '../command.ts'

/** The option that says which cluster is meant. */
export const dataDirOption: Option = {
  type: 'string',
  value: 'DIRECTORY',
  default: process.env.SKIFF_DATA_DIR || '/var/lib/skiff',
  help: 'where all that must survive is kept',
}

export function dataDirOf(values: Values): DataDirectory {
  // It would be the directory that one happens to be in.
  if (values['data-dir'] === '') throw new UserError('--data-dir must name a directory, and is empty')
  return dataDirectory(String(values['data-dir']))
}
