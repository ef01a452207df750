/** A tiny image out of the machine's own static busybox: for tests, and where a shell is all that is needed. */
import { chmodSync, copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from '../command.ts'
import type { ImageRecord } from '../images/image-record.ts'
import type { ImageStore } from '../images/image-store.ts'
import type { ImageSettings } from '../images/manifest.ts'
import { addLayer, assembleImage } from './assemble.ts'

export interface BusyboxOptions {
  program?: string
  settings?: ImageSettings
}

export async function buildBusyboxImage(store: ImageStore, name = 'busybox:1.35', options: BusyboxOptions = {}): Promise<ImageRecord> {
  const lease = await store.leases.take()
  const directory = store.layers.begin()
  try {
    await fillBusybox(directory, options.program)
    const layer = await addLayer(store, directory, lease)
    const settings = options.settings ?? { Cmd: ['sh'], Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] }
    return await assembleImage(store, { name, layers: [layer], history: ['busybox'], settings }, lease)
  } finally {
    rmSync(directory, { recursive: true, force: true })
    lease.release()
  }
}

/** A root file system with every applet. */
export async function fillBusybox(directory: string, program = '/bin/busybox'): Promise<void> {
  const applets = (await command(program, ['--list'])).trim().split('\n')
  for (const one of ['bin', 'sbin', 'etc', 'root', 'home', 'tmp', 'var', 'var/run', 'usr', 'usr/bin', 'usr/sbin', 'dev', 'proc', 'sys'])
    mkdirSync(join(directory, one))
  chmodSync(directory, 0o755)
  chmodSync(join(directory, 'tmp'), 0o1777)
  chmodSync(join(directory, 'root'), 0o700)
  copyFileSync(program, join(directory, 'bin/busybox'))
  chmodSync(join(directory, 'bin/busybox'), 0o755)
  for (const applet of applets) if (applet !== 'busybox') symlinkSync('busybox', join(directory, 'bin', applet))
  writeFileSync(join(directory, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n')
  writeFileSync(join(directory, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n')
  // The same content is the same layer, whenever it was made.
  await command('find', [directory, '-exec', 'touch', '-h', '-d', '@0', '{}', '+'])
}
