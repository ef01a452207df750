/**
 * Small records on disk: a reader sees the old one or the new one, never a half. `beside` tells apart those who may
 * write the same record at the same time.
 */
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export function writeJson(path: string, value: unknown, beside = ''): void {
  const temporary = `${path}${beside}.new`
  writeFileSync(temporary, JSON.stringify(value))
  renameSync(temporary, path)
}

export function readJson<T>(path: string): T | undefined {
  const text = readText(path)
  return text === undefined ? undefined : (JSON.parse(text) as T)
}

/** The file's text; undefined where there is no such file. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Names in a directory; none where there is no such directory. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** The records `<directory>/<id>/<file>` of all ids. One that cannot be read is told to `onBroken` and left out. */
export function recordsIn<T>(directory: string, file: string, onBroken: (id: string, error: unknown) => void): T[] {
  return namesIn(directory).flatMap((id) => {
    try {
      return readJson<T>(join(directory, id, file)) ?? []
    } catch (error) {
      onBroken(id, error)
      return []
    }
  })
}

export const isMissing = (error: unknown): boolean => {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ESRCH'
}
