/** Entries of tar archives: ustar with pax extensions, and what GNU tar and old Docker wrote. */
export type EntryType = 'file' | 'link' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo'

export interface TarEntry {
  name: string
  type: EntryType
  mode: number
  uid: number
  gid: number
  size: number
  /** Seconds, maybe with a fraction, as the archive wrote it. */
  mtime: string
  /** Target of a link or symlink. */
  linkName: string
  major: number
  minor: number
  /** Extended attributes, bytes as they are. */
  xattrs: Map<string, Buffer>
}

const typeFlags: Record<string, EntryType> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
}

export const typeOfFlag = (flag: string): EntryType | undefined => typeFlags[flag]
export const flagOfType = (type: EntryType): string => Object.keys(typeFlags).find((flag) => typeFlags[flag] === type) ?? '0'

/** Where extended attributes stand in pax headers. */
export const xattrPrefix = 'SCHILY.xattr.'
