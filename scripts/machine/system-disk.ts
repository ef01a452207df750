/**
 * The disk that the machine starts from: Debian as a new user has it, with systemd and what `set-up.sh` installs. Made
 * once for a release and a list of packages, out of the archive that this machine's apt knows.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { machineAptSources } from '../../src/runtime/embedded/build/apt-sources.ts'
import { makeDisk } from './ext4.ts'
import { run } from './program.ts'
import { systemPackages } from './system-packages.ts'

const bytes = 24 * 2 ** 30
const guest = join(import.meta.dirname, 'guest')
/** Where each of the guest's own files lies in it. */
const guestFiles: Record<string, string> = {
  'skiff-job': '/usr/local/sbin/skiff-job',
  'skiff-job.service': '/etc/systemd/system/skiff-job.service',
}
const basePackages = ['systemd-sysv', 'udev', 'dbus', 'libpam-systemd', 'login', 'procps', 'kmod', 'ca-certificates']
const hooks = [
  'systemctl --root="$1" --quiet enable skiff-job.service',
  `echo 'nameserver 127.0.0.1' >"$1"/etc/resolv.conf; echo machine >"$1"/etc/hostname; echo '127.0.0.1 localhost machine' >"$1"/etc/hosts`,
]

export function makeSystemDisk(cache: string, release: string): string {
  const packages = [...basePackages, ...systemPackages('test')]
  const files = Object.keys(guestFiles).map((name) => readFileSync(join(guest, name), 'utf8'))
  const key = createHash('sha256').update(JSON.stringify({ packages, files, hooks, bytes })).digest('hex').slice(0, 12)
  const disk = join(cache, `${release}-${key}`)
  if (existsSync(disk)) return disk
  mkdirSync(cache, { recursive: true })
  for (const name of readdirSync(cache)) if (name.startsWith(`${release}-`)) rmSync(join(cache, name), { recursive: true })
  console.log(`installing ${release} on a disk; this is done once`)
  const place = `${disk}.unfinished`
  const root = join(place, 'root')
  mkdirSync(root, { recursive: true })
  install(root, release, packages)
  makeDisk(join(place, 'disk'), root, bytes)
  renameSync(join(place, 'disk'), disk)
  rmSync(place, { recursive: true })
  return disk
}

function install(root: string, release: string, packages: string[]): void {
  const sources = join(root, '../sources.list')
  writeFileSync(sources, `${sourcesOf(release).join('\n')}\n`)
  const copies = Object.entries(guestFiles).map(([name, path]) => `copy-in ${join(guest, name)} ${dirname(path)}`)
  run('unshare', [
    ...['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
    ...['mmdebstrap', '--quiet', '--mode=root', '--variant=minbase', '--format=directory', `--include=${packages.join(',')}`],
    ...['--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"'],
    ...[...copies, ...hooks].map((hook) => `--customize-hook=${hook}`),
    ...[release, root, sources],
  ])
}

/** Lines of a `sources.list`: where this machine finds its own release, that one. */
function sourcesOf(release: string): string[] {
  const own = machineAptSources()
  const named = (word: string) => (word === own.release || word.startsWith(`${own.release}-`) ? release + word.slice(own.release.length) : word)
  return own.lines.map((line) => line.split(' ').map(named).join(' '))
}
