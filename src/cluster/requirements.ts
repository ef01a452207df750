/** What the host must have for a cluster with real containers, and how to say what is missing. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { UserError } from './user-error.ts'

/** Programs by the Debian package that brings them. */
export const programs: Readonly<Record<string, string>> = {
  unshare: 'util-linux',
  tini: 'tini',
  crun: 'crun',
  conmon: 'conmon',
  nft: 'nftables',
  ip: 'iproute2',
  nginx: 'nginx-light',
  perl: 'perl-base',
  tar: 'tar',
}

/** Debian keeps some of them where only root's PATH looks. */
const searchPath = () => [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']

export function findProgram(name: string): string | undefined {
  for (const directory of searchPath()) {
    const file = join(directory, name)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // Not in this directory.
    }
  }
  return undefined
}

/** Throws one sentence that says what to install, or to become root. */
export function checkRequirements(): void {
  if (process.platform !== 'linux') throw new UserError(`containers need Linux, and this is ${process.platform}: run skiff in a Linux machine`)
  if (process.getuid?.() !== 0) throw new UserError("namespaces and containers need root: run the same command with 'sudo'")
  const missing = Object.keys(programs).filter((name) => !findProgram(name))
  if (missing.length === 0) return
  const packages = [...new Set(missing.map((name) => programs[name]))].join(' ')
  throw new UserError(
    `${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} missing: on Debian or Ubuntu 'apt-get install ${packages}' brings ${missing.length > 1 ? 'them' : 'it'}`,
  )
}
