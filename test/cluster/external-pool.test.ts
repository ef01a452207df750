/** Pools of an external provider, in a process of its own and over TLS: by the autoscaler of a cluster, and by one that runs alone. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { clientPair, encryptProvider } from '../../src/autoscaler/testing/provider-certificates.ts'
import type { ProviderState } from '../../src/autoscaler/testing/provider-process.ts'
import { end, startProvider } from '../../src/autoscaler/testing/start-provider.ts'
import type { KeyPair } from '../../src/cluster/pki/certificate-authority.ts'
import { parseStrictly } from '../../src/machinery/metrics/testing/strict-parser.ts'
import { eventually, skiff, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import { deploymentFor } from '../tools/node-pools.ts'

const pool = (external: object) =>
  JSON.stringify({
    apiVersion: 'skiff.dev/v1',
    kind: 'NodePool',
    metadata: { name: 'large' },
    spec: { kind: 'External', maxSize: 3, external, scaleDown: { unneededSeconds: 1, delayAfterAddSeconds: 0 } },
  })

/** Template and nodes of the provider's group say so. */
const workload = JSON.stringify({
  ...(JSON.parse(deploymentFor('x', 'web', 2, { requests: { cpu: '3' } })) as object),
}).replace('"for":"x"', '"size":"large"')

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function growAndShrink({ kubectl }: TestCluster, state: () => ProviderState['groups'][string] | undefined): Promise<void> {
  await kubectl('apply -f -', { stdin: workload })
  await eventually('two were asked for', async () => state()?.target === 2)
  await eventually('they run', async () => state()?.instances.every(({ status }) => status?.state === 1))
  // The machines register.
  for (const { id } of state()?.instances ?? []) {
    const name = id.slice('pretend://'.length)
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { size: 'large', 'kubernetes.io/hostname': name } }, spec: { providerID: id } }
    await kubectl('create -f -', { stdin: JSON.stringify(node) })
    const amounts = { cpu: '4', memory: '16Gi', pods: '110' }
    const status = { capacity: amounts, allocatable: amounts, conditions: [{ type: 'Ready', status: 'True', reason: 'Pretended', message: '' }] }
    await kubectl(`patch node ${name} --subresource=status --type=merge -p '${JSON.stringify({ status })}'`)
  }
  const bound = async () => (await kubectl('get pods -l app=web -o jsonpath={.items[*].spec.nodeName}')).trim().split(' ').sort().join()
  const names = (state()?.instances ?? []).map(({ id }) => id.slice('pretend://'.length)).sort()
  await eventually('the pods have their nodes', async () => (await bound()) === names.join())
  await kubectl('delete deployment web')
  // No kubelet ends its pods.
  await eventually('its pods are gone', async () => {
    await kubectl('delete pods -l app=web --force --grace-period=0')
    return (await kubectl('get pods,replicasets -l app=web -o name')) === ''
  })
  await eventually('the instances are ended', async () => state()?.instances.length === 0)
  await eventually('their objects are gone', async () => (await kubectl('get nodes -l size=large -o name')) === '')
  await kubectl('delete nodepool large --timeout=20s')
}

describe('external node pools', () => {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-provider-'))
  const children: ChildProcess[] = []
  let cluster: TestCluster
  let authority: KeyPair
  const state = () => (JSON.parse(readFileSync(join(directory, 'state.json'), 'utf8')) as ProviderState).groups.large
  const provider = async (networkOf?: number) => {
    const started = await startProvider(directory, networkOf)
    children.push(started.child)
    return started
  }
  before(async () => {
    authority = await encryptProvider(directory)
    cluster = await startTestCluster({ busybox: false })
    await eventually('NodePools are served', async () => (await cluster.kubectl.run(['get', 'nodepools'])).code === 0)
  })
  after(async () => {
    for (const child of children) await end(child, 'SIGKILL')
    await cluster?.remove()
    rmSync(directory, { recursive: true, force: true })
  })

  it("grow and shrink by a cluster's own autoscaler, by certificates in a Secret", async () => {
    const { address } = await provider(cluster.running()?.pid)
    const pair = await clientPair(authority)
    writeFileSync(join(directory, 'client.crt'), pair.certificate)
    writeFileSync(join(directory, 'client.key'), pair.key)
    const files = ['tls.crt=client.crt', 'tls.key=client.key', 'ca.crt=ca.crt'].map((pairOf) => `--from-file=${pairOf.replace('=', `=${directory}/`)}`)
    await cluster.kubectl(`-n kube-system create secret generic provider ${files.join(' ')}`)
    await cluster.kubectl('apply -f -', { stdin: pool({ address, tlsSecretName: 'provider' }) })
    await growAndShrink(cluster, state)
  })

  it('grow and shrink by an autoscaler that runs alone, by a cloud config; it tells what it counts', async () => {
    const alone = await startTestCluster({ busybox: false, words: ['--without', 'cluster-autoscaler'] })
    try {
      rmSync(join(directory, 'port'))
      const { address } = await provider()
      writeFileSync(join(directory, 'cloud-config'), `address: ${address}\nkey: client.key\ncert: client.crt\ncacert: ca.crt\n`)
      const port = await freePort()
      const words = ['--cloud-config', join(directory, 'cloud-config'), '--metrics-port', String(port), '--scan-interval', '1s']
      const autoscaler = spawn(skiff, ['cluster-autoscaler', '--kubeconfig', join(alone.dataDir, 'kubeconfig'), ...words], {
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      children.push(autoscaler)
      await eventually('NodePools are served', async () => (await alone.kubectl.run(['get', 'nodepools'])).code === 0)
      await alone.kubectl('apply -f -', { stdin: pool({}) })
      await growAndShrink(alone, state)
      const page = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text()
      const families = parseStrictly(await page('/metrics'))
      assert.equal(families.get('cluster_autoscaler_scaled_up_nodes_total')?.samples[0]?.value, 2)
      assert.equal(await page('/health-check'), 'OK')
      await end(autoscaler)
    } finally {
      await alone.remove()
    }
  })

  it('an autoscaler whose cloud config is wrong says so in one sentence', async () => {
    writeFileSync(join(directory, 'cloud-config'), 'address: a:1\nkey: client.key\n')
    const words = ['cluster-autoscaler', '--kubeconfig', join(cluster.dataDir, 'kubeconfig'), '--cloud-config', join(directory, 'cloud-config')]
    await assert.rejects(cluster.skiff(...words), ({ stderr }: { stderr: string }) => {
      assert.match(stderr, /^skiff: the cloud config \S+ must have key, cert and cacert together, or none of them\n$/)
      return true
    })
  })
})
