/** In a network namespace of its own: loads the proxy's rules for many Services, then changes one of them. */
import { spawnSync } from 'node:child_process'
import type { V1EndpointSlice, V1Service } from '../../src/machinery/schema/generated/types.ts'
import { serviceRules } from '../../src/proxy/service-rules.ts'
import { Table } from '../../src/proxy/table.ts'

const services = Number(process.argv[2])
const endpoints = 3

const address = (first: number, number: number) => `${first}.${100 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`

function service(number: number): V1Service {
  const clusterIP = address(10, number)
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `s-${number}`, namespace: 'default' },
    spec: { type: 'ClusterIP', clusterIP, clusterIPs: [clusterIP], ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
  } as V1Service
}

function slice(number: number, shift: number): V1EndpointSlice {
  const addressOf = (endpoint: number) => address(11, (number * endpoints + endpoint + shift) & 0xffffff)
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `s-${number}-x`, namespace: 'default' },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: Array.from({ length: endpoints }, (_, endpoint) => ({ addresses: [addressOf(endpoint)], conditions: { ready: true, serving: true } })),
  } as V1EndpointSlice
}

function load(script: string): void {
  const { status, stderr } = spawnSync('nft', ['-f', '-'], { input: script, encoding: 'utf8' })
  if (status !== 0) throw new Error(`nft: ${stderr}`)
}

function timed(work: () => void): number {
  const started = performance.now()
  work()
  return performance.now() - started
}

const table = new Table('skiff-bench', { clusterCIDRs: ['10.244.0.0/16'], serviceCIDR: '10.96.0.0/12' })
const makeMs = timed(() => {
  for (let number = 0; number < services; number++)
    table.set(`s-${number}`, serviceRules(service(number), [slice(number, 0)], { nodeName: 'node-1', zone: undefined }))
})
const loadMs = timed(() => load(table.full()))
const changeMs = timed(() => {
  table.set('s-0', serviceRules(service(0), [slice(0, 7)], { nodeName: 'node-1', zone: undefined }))
  load(table.difference())
})
console.log(JSON.stringify({ makeMs, loadMs, changeMs }))
