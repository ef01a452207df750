/**
 * The real kubectl, for tests. Each test uses its own kubeconfig and home directory; nothing of the user's is read.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { dirname } from 'node:path'
import { findKubectl, type KubectlVersion, kubectlVersions } from '../../src/cluster/kubectl.ts'
import { patience } from './patience.ts'

export interface KubectlResult {
  code: number
  stdout: string
  stderr: string
}

export interface Kubectl {
  /** Runs to the end, whatever the exit code. */
  run(args: string[], options?: { stdin?: string; timeoutMs?: number }): Promise<KubectlResult>
  /** Runs to the end; throws with what it printed when the exit code is not 0. Answers stdout. */
  (args: string, options?: { stdin?: string; timeoutMs?: number }): Promise<string>
  /** Runs to the end, whatever the exit code: all that it printed, what it complained of last. */
  says(args: string, options?: { stdin?: string; timeoutMs?: number }): Promise<string>
  /** Starts and leaves running (`port-forward`, `get -w`). */
  start(args: string[]): ChildProcessWithoutNullStreams
}

/** Tests that do not ask for a version take this one, so that `SKIFF_KUBECTL=1.34 node --test test/kubectl/…` tries all of them with an older one. */
const usual = kubectlVersions.find((version) => version === process.env.SKIFF_KUBECTL)

/** `kubectl('get pods -A')` against a kubeconfig. `home` keeps its caches apart; the kubeconfig's directory when absent. */
export async function kubectl(kubeconfig: string, options: { version?: KubectlVersion; home?: string; env?: Record<string, string> } = {}): Promise<Kubectl> {
  const binary = findKubectl(options.version ?? usual)
  const env = { PATH: process.env.PATH ?? '', HOME: options.home ?? dirname(kubeconfig), KUBECONFIG: kubeconfig, ...options.env }
  const start = (args: string[]) => spawn(binary, args, { env })

  async function finish(args: string[], { stdin = '', timeoutMs = 20_000 }: { stdin?: string; timeoutMs?: number } = {}): Promise<KubectlResult> {
    const child = start(args)
    const timer = setTimeout(() => child.kill(), timeoutMs * patience)
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text
    })
    // It may end without reading its input.
    child.stdin.on('error', () => {})
    child.stdin.end(stdin)
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (status, signal) => resolve(status ?? (signal ? 128 : 1)))
    })
    clearTimeout(timer)
    return { code, stdout, stderr }
  }

  const call = async (args: string, given?: { stdin?: string; timeoutMs?: number }) => {
    const { code, stdout, stderr } = await finish(wordsOf(args), given)
    if (code !== 0) throw new Error(`kubectl ${args}: exit code ${code}\n${stdout}${stderr}`)
    return stdout
  }
  const says = async (args: string, given?: { stdin?: string; timeoutMs?: number }) => {
    const { stdout, stderr } = await finish(wordsOf(args), given)
    return stdout + stderr
  }
  return Object.assign(call, { run: finish, says, start })
}

/** Words between spaces; what stands in single quotes, or has a part in them, is one. */
const wordsOf = (line: string): string[] => line.match(/(?:'[^']*'|[^\s'])+/gs)?.map((word) => word.replaceAll("'", '')) ?? []
