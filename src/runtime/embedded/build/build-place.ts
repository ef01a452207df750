/**
 * A root file system to build in: layers below, a new directory on top, in mount, PID and network namespaces that end
 * with the program. The overlay is volatile: packages sync every file they unpack, and need not before the end.
 */
import { mkdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { command } from '../command.ts'
import type { LayerStore } from '../images/layer-store.ts'

export interface BuildPlace {
  layers: LayerStore
  /** Lowest first. */
  lower: string[]
  /** Of {@link LayerStore.begin}: `upper` in it becomes the layer. */
  directory: string
}

/** Mounts, then runs `script` with `$root`, outside of the root; `binds` are pairs of host path and path inside. */
const prepare = `set -eu
export root=$1; layers=$2; options=$3; shift 3
cd "$layers"
mount -t overlay -o "$options" overlay "$root"
cd /
mkdir -p "$root/dev" "$root/proc" "$root/sys" "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do : >"$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
mkdir "$root/dev/pts" "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t proc proc "$root/proc"
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then mkdir -p "$root$2"; else mkdir -p "$(dirname "$root$2")"; [ -e "$root$2" ] || : >"$root$2"; fi
  mount --bind "$1" "$root$2"
  shift 2
done
shift
exec "$@"
`

export async function buildIn(place: BuildPlace, binds: Record<string, string>, script: string, args: string[], signal?: AbortSignal): Promise<string> {
  const { layers, directory } = place
  for (const name of ['upper', 'work', 'root', 'empty']) mkdirSync(join(directory, name), { recursive: true })
  const beside = relative(layers.directory, directory)
  const lower = place.lower.length > 0 ? place.lower.map((diffId) => layers.name(diffId)).reverse() : [`${beside}/empty`]
  const options = `lowerdir=${lower.join(':')},upperdir=${beside}/upper,workdir=${beside}/work,index=off,redirect_dir=off,metacopy=off,volatile`
  const pairs = Object.entries(binds).flat()
  return command(
    'unshare',
    [
      ...[
        '--mount',
        '--pid',
        '--net',
        '--ipc',
        '--uts',
        '--fork',
        '--kill-child',
        'sh',
        '-c',
        prepare,
        'sh',
        join(directory, 'root'),
        layers.directory,
        options,
      ],
      ...[...pairs, '--', 'sh', '-euc', script, 'sh', ...args],
    ],
    { env: { DEBIAN_FRONTEND: 'noninteractive', HOME: '/root' }, ...(signal ? { signal } : {}) },
  )
}
