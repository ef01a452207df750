/** The server's side of a link over several machines: the overlay on the bridge of nodes, and on the first Node what others need to find it. */
import type { Client } from '../../client/client.ts'
import type { Component, ComponentContext } from '../../client/component.ts'
import { Node } from '../../client/resources.ts'
import { machineAddressAnnotation, makeOverlayDevice, overlayNumberAnnotation, startOverlay } from '../../network/overlay.ts'
import { nodeBridge } from '../namespaces.ts'

export interface JoinLinkOptions {
  admin: Client
  nodeName: string
  machineAddress: string
  /** Eight hexadecimal digits. */
  clusterId: string
  /** A path of the machine's own network namespace. */
  machineNetwork: string
}

/** The Node must be registered already. */
export async function startJoinLink(context: ComponentContext, options: JoinLinkOptions): Promise<Component> {
  const { admin, nodeName, machineAddress, machineNetwork } = options
  const number = overlayNumber(options.clusterId)
  await makeOverlayDevice({ number, address: machineAddress, pid: process.pid, machineNetwork, bridge: nodeBridge })
  const annotations = { [machineAddressAnnotation]: machineAddress, [overlayNumberAnnotation]: String(number) }
  await admin.patch(Node, { name: nodeName }, 'merge', { metadata: { annotations } })
  return startOverlay(context, { address: machineAddress })
}

/** 24 bits, and never 0. */
const overlayNumber = (clusterId: string): number => Number.parseInt(clusterId.slice(0, 6), 16) || 1
