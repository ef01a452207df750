/** What others serve through this server, from all who know of some. */
import type { ForeignApis } from '../contracts.ts'

export function allForeign(sources: readonly ForeignApis[]): ForeignApis {
  return {
    get generation() {
      return sources.reduce((sum, { generation }) => sum + generation, 0)
    },
    groupVersions: () => sources.flatMap((source) => source.groupVersions()),
    openApiPaths: () => Object.assign({}, ...sources.map((source) => source.openApiPaths())),
    openApiV2: () => sources.flatMap((source) => source.openApiV2()),
  }
}
