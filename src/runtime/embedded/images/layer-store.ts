/**
 * Layers unpacked once, in overlayfs's form, for all images that share them: `layers/<24 digits of the diff id>`,
 * short because the kernel takes one page of mount options. A layer counts when its mark `<name>.json` is
 * there; the mark is written after everything is synced. Who adds a layer holds its lock: one that counts may be
 * mounted in any process and is never replaced.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { command, programPath } from '../command.ts'
import { namesIn, readJson, writeJson } from '../json-file.ts'
import { Digester, hexOf } from './digest.ts'
import { fileAge } from './file-age.ts'
import type { Compression } from './manifest.ts'
import { type LayerSize, layerToOverlay } from './tar/layer-to-overlay.ts'
import { overlayToLayer } from './tar/overlay-to-layer.ts'

export interface LayerMark extends LayerSize {
  diffId: string
}

const beginning = 'new-'

export class LayerStore {
  readonly directory: string

  constructor(root: string) {
    this.directory = join(root, 'layers')
    mkdirSync(this.directory, { recursive: true })
  }

  /** Name below {@link directory}: for `lowerdir=`, with that as the working directory. */
  name(diffId: string): string {
    return hexOf(diffId).slice(0, 24)
  }

  path(diffId: string): string {
    return join(this.directory, this.name(diffId))
  }

  mark(diffId: string): LayerMark | undefined {
    return readJson<LayerMark>(`${this.path(diffId)}.json`)
  }

  has(diffId: string): boolean {
    return this.mark(diffId) !== undefined
  }

  /** A directory beside the layers, to be handed to {@link commit}. */
  begin(): string {
    return mkdtempSync(join(this.directory, beginning))
  }

  /** Unpacks, checks and adds a layer. Nothing is left when it fails. */
  async unpack(diffId: string, source: Readable, compression: Compression, signal?: AbortSignal): Promise<LayerMark> {
    const directory = this.begin()
    try {
      const mark = await unpackInto(directory, diffId, source, compression, signal)
      await this.commit(directory, mark)
      return mark
    } catch (error) {
      await rm(directory, { recursive: true, force: true })
      throw error
    }
  }

  /** Takes over a directory that is in overlayfs's form already. */
  async commit(directory: string, mark: LayerMark): Promise<void> {
    const path = this.path(mark.diffId)
    if (this.has(mark.diffId)) {
      await rm(directory, { recursive: true, force: true })
      return
    }
    await rm(path, { recursive: true, force: true })
    renameSync(directory, path)
    await command('sync', ['-f', this.directory])
    writeJson(`${path}.json`, mark)
  }

  list(): LayerMark[] {
    return namesIn(this.directory)
      .filter((name) => name.endsWith('.json'))
      .flatMap((name) => readJson<LayerMark>(join(this.directory, name)) ?? [])
  }

  remove(diffId: string): void {
    rmSync(`${this.path(diffId)}.json`, { force: true })
    rmSync(this.path(diffId), { recursive: true, force: true })
  }

  /** What was begun and never sealed, and was not touched for `age` milliseconds. */
  removeUnfinished(age: number): void {
    const names = namesIn(this.directory)
    for (const name of names) {
      if (name.endsWith('.json') || name.endsWith('.new') || names.includes(`${name}.json`)) continue
      const path = join(this.directory, name)
      if (fileAge(path) > age) rmSync(path, { recursive: true, force: true })
    }
  }

  /** The layer's uncompressed archive; the same bytes each time, since nothing below a layer's directory changes. */
  archive(path: string): Readable {
    const tar = spawn(
      'tar',
      [
        '-c',
        '--format=posix',
        '--pax-option=exthdr.name=pax,delete=atime,delete=ctime',
        '--sort=name',
        '--numeric-owner',
        '--xattrs',
        '--xattrs-include=*',
        '-C',
        path,
        '.',
      ],
      { env: { PATH: programPath(), LC_ALL: 'C' }, stdio: ['ignore', 'pipe', 'pipe'] },
    )
    return Readable.from(overlayToLayer(checked(tar)), { objectMode: false, highWaterMark: 1 << 20 })
  }
}

/** Ends with the program's complaint when it fails. */
async function* checked(child: ReturnType<typeof spawn>): AsyncGenerator<Buffer> {
  let complaint = ''
  child.stderr?.on('data', (chunk) => {
    complaint += chunk
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (child.stdout) yield* child.stdout
  const code = await ended
  if (code !== 0) throw new Error(`tar: ${complaint.trim()}`)
}

async function unpackInto(directory: string, diffId: string, source: Readable, compression: Compression, signal?: AbortSignal): Promise<LayerMark> {
  const size: LayerSize = { bytes: 0, inodes: 0 }
  const tar = spawn(
    'tar',
    ['-x', '-p', '--same-owner', '--numeric-owner', '--xattrs', '--xattrs-include=*', '--delay-directory-restore', '--warning=no-timestamp', '-C', directory],
    { env: { PATH: programPath(), LC_ALL: 'C' }, stdio: ['pipe', 'ignore', 'pipe'] },
  )
  let complaint = ''
  tar.stderr.on('data', (chunk) => {
    complaint += chunk
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    tar.once('error', reject)
    tar.once('close', resolve)
  })
  // Awaited below; when the pipeline fails first, its error is the one to tell.
  ended.catch(() => {})
  const digester = new Digester()
  const filter = (bytes: AsyncIterable<Uint8Array>) => layerToOverlay(bytes, size)
  const options = signal ? { signal } : {}
  try {
    if (compression === 'gzip') await pipeline(source, createGunzip({ chunkSize: 1 << 18 }), digester, filter, tar.stdin, options)
    else if (compression === 'zstd') await pipeline(source, createZstdDecompress({ chunkSize: 1 << 18 }), digester, filter, tar.stdin, options)
    else await pipeline(source, digester, filter, tar.stdin, options)
  } catch (error) {
    tar.kill('SIGKILL')
    await ended.catch(() => {})
    // A broken pipe says only that tar has ended: it has said why.
    const own = error instanceof Error ? error.message : String(error)
    const why = /EPIPE|premature close/i.test(own) && complaint ? complaint.trim() : own
    throw new Error(`failed to extract layer ${diffId}: ${why}`, { cause: error })
  }
  if ((await ended) !== 0) throw new Error(`failed to extract layer ${diffId}: ${complaint.trim()}`)
  const found = digester.digest()
  if (found !== diffId) throw new Error(`failed to extract layer: wrong diff id calculated on extraction "${found}", expected "${diffId}"`)
  return { diffId, ...size }
}
