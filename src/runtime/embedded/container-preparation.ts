/** Before a container's start and after its end: its root file system, its bundle, and how they are given back. */
import { mkdirSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { type ContainerConfig, RuntimeError } from '../runtime.ts'
import { killGroup } from './cgroups/kill-group.ts'
import { shortName } from './conmon.ts'
import { newId, type RuntimeContext } from './context.ts'
import { imageVolumes } from './image-volumes.ts'
import type { ImageRecord } from './images/image-record.ts'
import type { ImageStore } from './images/image-store.ts'
import { canonicalName, parseReference } from './images/reference.ts'
import { writeJson } from './json-file.ts'
import { layersOf, mountedImages, mountImages, unmountImages } from './mounted-images.ts'
import { mountOverlay } from './overlay.ts'
import type { ContainerRecord, SandboxRecord } from './records.ts'
import { namespacePaths } from './sandbox-namespaces.ts'
import { makeDirectoryInRoot } from './spec/rootfs-path.ts'
import { specOf } from './spec/spec.ts'
import { homeOf, resolveUser } from './spec/user.ts'

/** Nothing is left when it fails. `pidPath` finds a shared PID namespace. */
export async function prepareContainer(
  context: RuntimeContext,
  sandbox: SandboxRecord,
  config: ContainerConfig,
  pidPath: (of: 'pod' | { target: string }) => string,
): Promise<ContainerRecord> {
  const { clock, images, paths } = context
  const image = images.find(config.image)
  if (!image) throw new RuntimeError('NotFound', `image "${config.image}" not found`)
  const id = newId(clock)
  const data = paths.containerData(id)
  const rootfs = paths.rootfs(id)
  mkdirSync(data, { recursive: true })
  mkdirSync(rootfs, { recursive: true })
  const layers = layersOf(image)
  const content = [...layers, ...mountedImages(context, config.mounts).flatMap(layersOf)]
  try {
    await images.leases.pin(id, { image: image.id, content, holder: data })
    // Another process may have removed the image meanwhile.
    if (!content.every((layer) => images.layers.has(layer))) throw new RuntimeError('NotFound', `image "${config.image}" not found`)
    await mountOverlay(images.layers, layers, data, rootfs, context.run)
    const mounts = await mountImages(context, id, config.mounts)
    const settings = image.config.config ?? {}
    const user = resolveUser(rootfs, config.security, settings.User)
    const { shm, ...namespaces } = namespacePaths(paths.sandboxState(sandbox.id), sandbox.config)
    const cgroup = join(context.cgroupRoot, sandbox.config.cgroupParent, id)
    const sandboxData = paths.sandboxData(sandbox.id)
    const { spec, notices } = specOf({
      config: { ...config, mounts },
      image: settings,
      user,
      home: homeOf(rootfs, user),
      hostname: sandbox.config.hostname,
      rootfs,
      cgroupsPath: cgroup,
      namespaces,
      pidPath,
      files: { shm, resolvConf: join(sandboxData, 'resolv.conf'), hostname: join(sandboxData, 'hostname') },
      imageVolumes: await imageVolumes(settings, mounts, rootfs, data),
      cgroups: context.cgroups,
      host: context.host,
    })
    for (const notice of notices) context.log(`container ${config.metadata.name} of ${sandbox.metadata.namespace}/${sandbox.metadata.name}: ${notice}`)
    makeDirectoryInRoot(rootfs, spec.process.cwd)
    writeJson(join(paths.bundle(id), 'config.json'), spec)
    const record: ContainerRecord = {
      id,
      sandboxId: sandbox.id,
      config,
      imageId: image.id,
      ...imageNames(images, image, config.imageSpec),
      createdAt: clock.now(),
      user,
      args: spec.process.args,
      stopSignal: config.stopSignal ?? settings.StopSignal ?? 'SIGTERM',
      cgroup,
      logPath: isAbsolute(config.logPath) ? config.logPath : join(sandbox.config.logDirectory, config.logPath),
    }
    saveContainer(context, record)
    return record
  } catch (error) {
    await sweepContainer(context, id)
    if (error instanceof RuntimeError) throw error
    throw new RuntimeError('CreateContainerError', `failed to create container: ${error instanceof Error ? error.message : error}`, { cause: error })
  }
}

/** The name the user meant, where it still stands for this image. */
function imageNames(images: ImageStore, image: ImageRecord, wanted: string): { imageName: string; imageRef: string } {
  const { repoTags = [], repoDigests = [] } = images.status(image.id) ?? {}
  const meant = canonicalName(parseReference(wanted))
  const imageName = [...repoTags, ...repoDigests].includes(meant) ? meant : (repoTags[0] ?? repoDigests[0] ?? image.id)
  return { imageName, imageRef: repoDigests[0] ?? image.id }
}

export function saveContainer(context: RuntimeContext, record: ContainerRecord): void {
  writeJson(join(context.paths.containerData(record.id), 'container.json'), record)
}

/** Ends what is left of its processes, and gives back its control group and mounts. Idempotent. */
export async function releaseContainer(context: RuntimeContext, record: ContainerRecord): Promise<void> {
  const { run, crun, paths, cgroups } = context
  // Processes that share a namespace with others do not end with the first of them.
  if (record.config.security.pid !== 'container') killGroup(cgroups, record.cgroup)
  await Promise.all([crun.delete(record.id), run('umount', ['-l', paths.rootfs(record.id)]), unmountImages(context, record.id)])
  rmSync(join(paths.sockets, shortName(record.id)), { force: true })
}

/** Removes all that belongs to an id, known or not. */
export async function sweepContainer(context: RuntimeContext, id: string): Promise<void> {
  const { run, crun, paths, images } = context
  await Promise.all([crun.delete(id), run('umount', ['-l', paths.rootfs(id)]), unmountImages(context, id)])
  await rm(paths.bundle(id), { recursive: true, force: true })
  await rm(paths.containerData(id), { recursive: true, force: true })
  rmSync(join(paths.sockets, shortName(id)), { force: true })
  images.leases.unpin(id)
}
