/** Which addresses a cluster uses inside its own network namespaces, and where each node of it stands in them. */
import { addressAt, parseCidr } from '../network/cidr.ts'

export const clusterCIDR = '10.244.0.0/16'
export const serviceCIDR = '10.96.0.0/12'
export const dnsServiceAddress = '10.96.0.10'
export const clusterDomain = 'cluster.local'
/** All nodes, of this machine and of others that joined, are on one link with these addresses. */
export const nodesCIDR = '10.89.0.0/16'
/** Of the API server, on the first node's address. */
export const apiPortInside = 6443

const podBlockSize = 256
/** As many nodes as there are blocks of pods. */
export const mostNodes = 256

/** The block of pods that belongs to a number, from 0. */
export const podBlock = (index: number): string => `${addressAt(parseCidr(clusterCIDR), index * podBlockSize)}/24`

/** The number of a block of pods; undefined when it is none of ours. */
export function blockIndex(podCIDR: string): number | undefined {
  const match = /^10\.244\.(\d{1,3})\.0\/24$/.exec(podCIDR)
  return match ? Number(match[1]) : undefined
}

/** A node's own address follows from its block of pods: nobody has to give it out. */
export const nodeAddressOf = (index: number): string => addressAt(parseCidr(nodesCIDR), index + 1)
