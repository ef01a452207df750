/** Space below a directory as `du` counts it: allocated blocks, a file with several names once. */
import { runCommand } from './command.ts'

export async function directorySize(directory: string): Promise<{ bytes: number; inodes: number }> {
  // Two counts of one walk each; files that vanish meanwhile make `du` complain and count on.
  const [bytes, inodes] = await Promise.all([runCommand('du', ['-sx', '-B1', directory]), runCommand('du', ['-sx', '--inodes', directory])])
  const first = (output: Buffer) => Number.parseInt(output.toString(), 10) || 0
  return { bytes: first(bytes.stdout), inodes: first(inodes.stdout) }
}
