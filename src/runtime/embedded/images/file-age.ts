import { statSync } from 'node:fs'
import { isMissing } from '../json-file.ts'

/** Milliseconds since the file was last written, by the host's time, which file times are in; infinite when there is none. */
export function fileAge(path: string): number {
  try {
    return performance.timeOrigin + performance.now() - statSync(path).mtimeMs
  } catch (error) {
    if (isMissing(error)) return Number.POSITIVE_INFINITY
    throw error
  }
}
