/** What the sources of config-like volumes hold, as files. */
import type { V1DownwardAPIVolumeFile, V1KeyToPath, V1Pod } from '../../machinery/schema/generated/types.ts'
import { fieldValue, resourceValue } from '../container/field-values.ts'
import { checkPath, type PayloadFile } from './atomic-writer.ts'
import type { VolumeContext } from './volume.ts'

interface KeyedSource {
  name: string
  items: readonly V1KeyToPath[] | undefined
  optional: boolean
  mode: number
}

export async function configMapFiles(context: VolumeContext, source: KeyedSource): Promise<Map<string, PayloadFile>> {
  const object = await context.objects.configMap(context.pod, source.name, source.optional)
  const data = new Map<string, Uint8Array>()
  for (const [key, value] of Object.entries(object?.data ?? {})) data.set(key, Buffer.from(value))
  for (const [key, value] of Object.entries(object?.binaryData ?? {})) data.set(key, Buffer.from(value, 'base64'))
  return project(data, source, object !== undefined)
}

export async function secretFiles(context: VolumeContext, source: KeyedSource): Promise<Map<string, PayloadFile>> {
  const object = await context.objects.secret(context.pod, source.name, source.optional)
  const data = new Map<string, Uint8Array>()
  for (const [key, value] of Object.entries(object?.data ?? {})) data.set(key, Buffer.from(value, 'base64'))
  return project(data, source, object !== undefined)
}

function project(data: Map<string, Uint8Array>, { items, optional, mode }: KeyedSource, exists: boolean): Map<string, PayloadFile> {
  const result = new Map<string, PayloadFile>()
  if (!items?.length) {
    for (const [key, value] of data) result.set(key, { data: value, mode })
    return result
  }
  for (const item of items) {
    const value = data.get(item.key)
    if (value !== undefined) result.set(checkPath(item.path), { data: value, mode: item.mode ?? mode })
    else if (exists && !optional) throw new Error(`references non-existent config key: ${item.key}`)
  }
  return result
}

export function downwardFiles(context: VolumeContext, items: readonly V1DownwardAPIVolumeFile[], mode: number): Map<string, PayloadFile> {
  const result = new Map<string, PayloadFile>()
  for (const item of items) result.set(checkPath(item.path), { data: Buffer.from(downwardValue(context, context.pod, item)), mode: item.mode ?? mode })
  return result
}

function downwardValue(context: VolumeContext, pod: V1Pod, { fieldRef, resourceFieldRef }: V1DownwardAPIVolumeFile): string {
  if (fieldRef) return fieldValue(pod, fieldRef, context)
  return resourceFieldRef ? resourceValue(pod, resourceFieldRef, '', context.allocatable) : ''
}
