/**
 * Puts Debian packages into a root file system. The machine's apt finds and fetches them, with its keys, proxies and
 * certificates; inside, without any network, they are installed. What was fetched is kept for the next build.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from '../command.ts'
import { fileAge } from '../images/file-age.ts'
import type { ImageStore } from '../images/image-store.ts'
import { withWorkLock } from '../images/work-lock.ts'
import type { AptSources } from './apt-sources.ts'

/** Package lists younger than this are taken as they are. */
const listsAge = 3_600_000

export interface AptCache {
  list: string
  lists: string
  archives: string
}

export function aptCache(store: ImageStore, sources: AptSources): AptCache {
  const root = join(store.directory, 'build', 'apt')
  const cache = { list: join(root, 'sources.list'), lists: join(root, 'lists'), archives: join(root, 'archives') }
  for (const directory of [join(cache.lists, 'partial'), join(cache.archives, 'partial')]) mkdirSync(directory, { recursive: true })
  writeFileSync(cache.list, `${sources.lines.join('\n')}\n`)
  return cache
}

/** `status` is the dpkg status file of the root that the packages are for. */
export function fetchPackages(store: ImageStore, cache: AptCache, status: string, packages: string[], signal?: AbortSignal): Promise<void> {
  return withWorkLock(store, 'apt', async () => {
    const options = [
      ...[
        `Dir::Etc::sourcelist=${cache.list}`,
        'Dir::Etc::sourceparts=/dev/null',
        `Dir::State::lists=${cache.lists}`,
        `Dir::Cache::archives=${cache.archives}`,
      ],
      // The machine's own indexes of packages are left alone.
      ...['Dir::Cache::pkgcache=', 'Dir::Cache::srcpkgcache=', `Dir::State::status=${status}`, 'Dir::State::extended_states=/dev/null'],
      ...['Acquire::Languages=none', 'APT::Sandbox::User=root', 'APT::Install-Recommends=false', 'APT::Keep-Downloaded-Packages=true'],
      ...['APT::Update::Post-Invoke::=', 'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false'],
    ].flatMap((option) => ['-o', option])
    const run = signal ? { signal } : {}
    const updated = join(cache.lists, 'updated')
    if (!existsSync(updated) || fileAge(updated) > listsAge) {
      await command('apt-get', [...options, '-qq', 'update'], run)
      writeFileSync(updated, '')
    }
    await command('apt-get', [...options, '-qq', '--yes', '--download-only', 'install', ...packages], run)
  })
}

/** To be mounted in the build's root: nothing of them stays in the layer. */
export const aptBinds = (cache: AptCache): Record<string, string> => ({
  [cache.list]: '/etc/apt/sources.list',
  [cache.lists]: '/var/lib/apt/lists',
  [cache.archives]: '/var/cache/apt/archives',
})

/** Installs its arguments in `$root`. Services are not started: nothing runs in an image. */
export const installScript = `
policy="$root/usr/sbin/policy-rc.d"
printf '#!/bin/sh\\nexit 101\\n' >"$policy"
chmod 755 "$policy"
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get \\
  -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o APT::Install-Recommends=false -o Acquire::Languages=none -o Dpkg::Use-Pty=0 \\
  -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o DPkg::Post-Invoke::= -o APT::Keep-Downloaded-Packages=true \\
  -qq --yes --no-download install "$@" 2>&1
rm -f "$policy"
rm -rf "$root/var/log/apt" "$root/var/log/dpkg.log" "$root/var/log/alternatives.log" "$root/var/cache/debconf"/*-old "$root/var/lib/dpkg"/*-old
`
