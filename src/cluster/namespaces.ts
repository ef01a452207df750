/** What must be so inside the cluster's namespaces before anything runs there. Safe to do again after a crash. */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { DataDirectory } from './data-directory.ts'

const run = promisify(execFile)

const isMounted = (point: string) =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[1] === point)

/** The bridge on which nodes of one machine meet; its address is the first node's own. */
export const nodeBridge = 'skiff-nodes'

/** A path of the cluster's network namespace that stays good while this process comes and goes. */
export const ownNetwork = (data: DataDirectory): string => join(data.run, 'network-namespace')

export async function prepareNamespaces(data: DataDirectory): Promise<void> {
  // What lives only as long as the cluster is kept in memory: nothing of it is left when the namespaces end.
  if (!isMounted(data.run)) await run('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'skiff-run', data.run])
  await run('ip', ['link', 'set', 'lo', 'up'])
  const network = ownNetwork(data)
  if (isMounted(network)) return
  writeFileSync(network, '')
  await run('mount', ['--bind', '/proc/self/ns/net', network])
}

export async function ensureNodeBridge(address: string, prefix: number): Promise<void> {
  const { stdout } = await run('ip', ['-j', 'link', 'show'])
  const links = JSON.parse(stdout) as { ifname: string }[]
  if (!links.some((link) => link.ifname === nodeBridge)) await run('ip', ['link', 'add', nodeBridge, 'type', 'bridge'])
  await run('ip', ['addr', 'replace', `${address}/${prefix}`, 'dev', nodeBridge])
  await run('ip', ['link', 'set', nodeBridge, 'up'])
}
