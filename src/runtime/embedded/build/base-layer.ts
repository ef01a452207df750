/** The lowest layer of all images from packages: the machine's own release, small, made once. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from '../command.ts'
import type { ImageLayer } from '../images/image-record.ts'
import type { ImageStore } from '../images/image-store.ts'
import type { Lease } from '../images/leases.ts'
import type { AptSources } from './apt-sources.ts'
import { addLayer } from './assemble.ts'

/** Documentation and translations stay away, from later layers too; licences stay. */
const dpkgOptions = [
  'path-exclude=/usr/share/doc/*',
  'path-include=/usr/share/doc/*/copyright',
  'path-exclude=/usr/share/man/*',
  'path-exclude=/usr/share/info/*',
  'path-exclude=/usr/share/locale/*',
  'path-exclude=/usr/share/groff/*',
  'path-exclude=/usr/share/lintian/*',
]

/** The overlay's syncs are in vain until the layer is complete; see build-place. */
const script = `set -eu
layers=$1; options=$2; root=$3; shift 3
cd "$layers"
mount -t overlay -o "$options" overlay "$root"
exec "$@"
`

export async function makeBaseLayer(store: ImageStore, sources: AptSources, lease: Lease): Promise<ImageLayer> {
  const directory = store.layers.begin()
  try {
    for (const name of ['upper', 'work', 'root', 'empty']) mkdirSync(join(directory, name))
    const list = join(directory, 'sources.list')
    writeFileSync(list, `${sources.lines.join('\n')}\n`)
    const root = join(directory, 'root')
    const beside = directory.slice(store.layers.directory.length + 1)
    const options = `lowerdir=${beside}/empty,upperdir=${beside}/upper,workdir=${beside}/work,index=off,redirect_dir=off,metacopy=off,volatile`
    await command('unshare', [
      ...['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', script, 'sh', store.layers.directory, options, root],
      ...['mmdebstrap', '--quiet', '--mode=root', '--variant=minbase', '--format=directory'],
      ...['--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"', ...dpkgOptions.map((option) => `--dpkgopt=${option}`)],
      ...[
        '--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/log/apt "$1"/var/log/dpkg.log "$1"/etc/hostname "$1"/etc/resolv.conf',
      ],
      // The mirror is this machine's affair, not the image's.
      ...['--customize-hook=: >"$1"/etc/apt/sources.list', sources.release, root, list],
    ])
    const layer = join(directory, 'layer')
    renameSync(join(directory, 'upper'), layer)
    return await addLayer(store, layer, lease)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
