import { open } from 'node:fs/promises'
import type { ContainerStatus } from '../../runtime/runtime.ts'
import { messagePathAnnotation, messagePolicyAnnotation } from '../pod/identity.ts'

const maxMessage = 4096
const maxLogBytes = 2048
const maxLogLines = 80

/** What an ended container left in its message file, or at the end of its log where its policy says so. */
export async function terminationMessage(container: ContainerStatus): Promise<string> {
  const path = container.annotations[messagePathAnnotation]
  const file = container.mounts.find((mount) => mount.containerPath === path)?.hostPath
  const message = file ? await readTail(file, maxMessage, 'start') : ''
  if (message) return message
  const failed = container.exitCode !== 0
  if (container.annotations[messagePolicyAnnotation] !== 'FallbackToLogsOnError' || !failed || !container.logPath) return ''
  const log = await readTail(container.logPath, 4 * maxLogBytes, 'end')
  const lines = log
    .split('\n')
    .filter(Boolean)
    .slice(-maxLogLines)
    .map((line) => /^\S+ (?:stdout|stderr) [FP]\S* (.*)$/.exec(line)?.[1] ?? line)
  const text = lines.map((line) => `${line}\n`).join('')
  return Buffer.from(text).subarray(-maxLogBytes).toString()
}

async function readTail(path: string, bytes: number, from: 'start' | 'end'): Promise<string> {
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
  try {
    const { size } = await file.stat()
    const length = Math.min(size, bytes)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from === 'start' ? 0 : size - length)
    return buffer.subarray(0, bytesRead).toString()
  } finally {
    await file.close()
  }
}
