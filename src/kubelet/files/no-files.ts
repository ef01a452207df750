import type { NodeFiles } from './node-files.ts'

const nothing = async () => {}

/** Keeps nothing and finds nothing. */
export const noFiles: NodeFiles = {
  keeps: false,
  makeDirectory: nothing,
  touch: nothing,
  writeFile: nothing,
  readFile: async () => undefined,
  readPart: async () => Buffer.alloc(0),
  kindOf: async () => 'directory',
  realPath: async (path) => path,
  list: async () => [],
  remove: nothing,
  symbolicLink: nothing,
  readLink: async () => undefined,
  rename: nothing,
  modeOf: async () => 0o777,
  setMode: nothing,
  addMode: nothing,
  setGroup: nothing,
  setOwner: nothing,
  usage: async () => ({ bytes: 0, inodes: 0 }),
  mountTmpfs: nothing,
  unmount: nothing,
  mountsBelow: async () => [],
}
