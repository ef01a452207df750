import { noFiles } from './no-files.ts'
import type { NodeFiles } from './node-files.ts'

/** What a simulated runtime's containers have written, by path, in memory; else nothing is kept and nothing found. */
export function keptFiles(kept: ReadonlyMap<string, string>): NodeFiles {
  const read = (path: string) => {
    const text = kept.get(path)
    return text === undefined ? undefined : Buffer.from(text)
  }
  return {
    ...noFiles,
    readFile: async (path) => read(path),
    async readPart(path, bytes, from) {
      const content = read(path) ?? Buffer.alloc(0)
      return from === 'start' ? content.subarray(0, bytes) : content.subarray(Math.max(0, content.length - bytes))
    },
  }
}
