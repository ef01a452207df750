/** GET /version: which Kubernetes this is. */
import type { RequestHandler } from '../contracts.ts'

export interface Version {
  major: string
  minor: string
  /** `v1.36.0+skiff-0.1.0`. */
  gitVersion: string
}

export const kubernetesVersion: Version = { major: '1', minor: '36', gitVersion: 'v1.36.0+skiff' }

export const versionHandler = (version: Version): RequestHandler => ({
  name: 'version',
  paths: ['/version'],
  async handle() {
    const rest = {
      gitCommit: '',
      gitTreeState: 'clean',
      buildDate: '1970-01-01T00:00:00Z',
      goVersion: 'go0.0',
      compiler: 'node',
      platform: `${process.platform}/${architecture()}`,
    }
    return {
      kind: 'object',
      status: 200,
      object: {
        ...version,
        emulationMajor: '1',
        emulationMinor: version.minor,
        minCompatibilityMajor: '1',
        minCompatibilityMinor: String(Number(version.minor) - 1),
        ...rest,
      },
    }
  },
})

const architecture = () => (process.arch === 'x64' ? 'amd64' : process.arch)
