/**
 * Linux as a program (User Mode Linux): it needs no help of the processor, which a machine that is virtual itself may
 * not have. Debian's own lacks address translation in nftables, so it is built here, once, from Debian's source.
 */
import { createHash } from 'node:crypto'
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { output, run } from './program.ts'

const config = join(import.meta.dirname, 'kernel-config')

/** Returns the program's path. */
export function makeKernel(cache: string): string {
  const source = /^\s*Depends: (linux-source-\S+)$/m.exec(output('apt-cache', ['depends', 'linux-source']))?.[1]
  if (!source) throw new Error('apt knows no package linux-source on this machine: its index is old, or this is not Debian')
  const key = createHash('sha256').update(source).update(readFileSync(config)).digest('hex').slice(0, 12)
  const kernel = join(cache, `kernel-${key}`)
  if (existsSync(kernel)) return kernel
  const place = `${kernel}.unfinished`
  rmSync(place, { recursive: true, force: true })
  mkdirSync(place, { recursive: true })
  console.log(`building a kernel from ${source}; this is done once, and takes some minutes`)
  run('apt-get', ['-qq', 'download', source], { cwd: place })
  const archive = readdirSync(place).find((name) => name.endsWith('.deb')) ?? ''
  run('dpkg-deb', ['-x', archive, 'package'], { cwd: place })
  const tree = join(place, 'tree')
  mkdirSync(tree)
  // The largest headers, of drivers that this kernel cannot have, are left out.
  run('tar', ['-xf', join(place, 'package/usr/src', `${source}.tar.xz`), '--strip-components=1', '--exclude=*/asic_reg/*'], { cwd: tree })
  run('make', ['-s', 'ARCH=um', 'x86_64_defconfig'], { cwd: tree })
  appendFileSync(join(tree, '.config'), readFileSync(config))
  run('make', ['-s', 'ARCH=um', 'olddefconfig'], { cwd: tree, quiet: true })
  run('make', ['-s', 'ARCH=um', '-j2', 'linux'], { cwd: tree, quiet: true })
  copyFileSync(join(tree, 'linux'), join(place, 'linux'))
  for (const name of readdirSync(cache)) if (name.startsWith('kernel-') && !name.endsWith('.unfinished')) rmSync(join(cache, name), { recursive: true })
  renameSync(join(place, 'linux'), kernel)
  rmSync(place, { recursive: true })
  return kernel
}
