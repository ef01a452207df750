/** The cable between a node's network namespace and the bridge on which all nodes meet. */
import { existsSync } from 'node:fs'
import { runCommand } from '../../network/command.ts'
import { hardwareAddress } from '../../network/node-network.ts'

export interface NodeLinkOptions {
  bridge: string
  /** The node's address with its prefix: `10.89.0.2/16`. */
  address: string
  prefix: number
  /** The way to everything else. */
  gateway: string
}

/** At most 15 characters, as the kernel wants it. */
export const linkOf = (index: number): string => `skiff-n${index}`

/** `pid` is a process of the node. A link of the same name, of a life before, goes first. */
export async function connectNode(index: number, pid: number, { bridge, address, prefix, gateway }: NodeLinkOptions): Promise<void> {
  const link = linkOf(index)
  if (existsSync(`/proc/sys/net/ipv4/conf/${link}`)) await runCommand('ip', ['link', 'delete', link])
  await runCommand('ip', [
    'link',
    'add',
    link,
    'up',
    'master',
    bridge,
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'address',
    hardwareAddress(address),
    'netns',
    String(pid),
  ])
  const commands = ['link set lo up', `addr add ${address}/${prefix} dev eth0`, 'link set eth0 up', `route add default via ${gateway}`]
  await runCommand('nsenter', [`--net=/proc/${pid}/ns/net`, 'ip', '-batch', '-'], commands.join('\n'))
}

export async function setLink(index: number, state: 'up' | 'down'): Promise<void> {
  await runCommand('ip', ['link', 'set', linkOf(index), state])
}

export async function isLinkUp(index: number): Promise<boolean> {
  const text = await runCommand('ip', ['-j', 'link', 'show', linkOf(index)]).catch(() => '[]')
  return (JSON.parse(text) as { flags: string[] }[]).some(({ flags }) => flags.includes('UP'))
}
