import type { ContainerStatus } from '../../runtime/runtime.ts'
import type { NodeFiles } from '../files/node-files.ts'
import { messagePathAnnotation, messagePolicyAnnotation } from '../pod/identity.ts'

const maxMessage = 4096
const maxLogBytes = 2048
const maxLogLines = 80

/** What an ended container left in its message file, or at the end of its log where its policy says so. */
export async function terminationMessage(files: NodeFiles, container: ContainerStatus): Promise<string> {
  const path = container.annotations[messagePathAnnotation]
  const file = container.mounts.find((mount) => mount.containerPath === path)?.hostPath
  const message = file ? (await files.readPart(file, maxMessage, 'start')).toString() : ''
  if (message) return message
  const failed = container.exitCode !== 0
  if (container.annotations[messagePolicyAnnotation] !== 'FallbackToLogsOnError' || !failed || !container.logPath) return ''
  const log = (await files.readPart(container.logPath, 4 * maxLogBytes, 'end')).toString()
  const lines = log
    .split('\n')
    .filter(Boolean)
    .slice(-maxLogLines)
    .map((line) => /^\S+ (?:stdout|stderr) [FP]\S* (.*)$/.exec(line)?.[1] ?? line)
  const text = lines.map((line) => `${line}\n`).join('')
  return Buffer.from(text).subarray(-maxLogBytes).toString()
}
