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
  const text = log.split('\n').filter(Boolean).slice(-maxLogLines).map(textOf).join('')
  return Buffer.from(text).subarray(-maxLogBytes).toString()
}

/** What a line of the log in CRI form says; one that is tagged as a part of a longer one ends without a newline. */
function textOf(line: string): string {
  const [, tag, text] = /^\S+ (?:stdout|stderr) ([FP])\S* (.*)$/.exec(line) ?? []
  return tag === 'P' ? (text ?? '') : `${text ?? line}\n`
}
