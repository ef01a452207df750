import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { inNetworkNamespace, makeNetns } from '../../test/tools/network-namespace.ts'
import { realClock } from '../machinery/real-clock.ts'
import { startEgress } from './egress.ts'

inNetworkNamespace(import.meta.url, () => {
  const sh = (script: string) => execFileSync('sh', ['-ec', script], { encoding: 'utf8' })

  test('a namespace gets a way out by a helper, and loses it with the helper', async (context) => {
    const netnsPath = makeNetns('cluster')
    assert.equal(sh('ip -n cluster route'), '', 'off means no route')
    // What stands for the world outside is this namespace, which has no way out itself.
    makeNetns('peer')
    sh(
      'ip link add up0 type veth peer name up1 netns peer; ip addr add 192.0.2.1/24 dev up0; ip link set up0 up; ip -n peer link set up1 up; ip route add default via 192.0.2.254',
    )
    const server = createServer((request, response) => response.end(`seen from ${request.socket.remoteAddress}`))
    await new Promise<void>((resolve) => server.listen(8999, '192.0.2.1', resolve))
    const egress = await startEgress({ netnsPath, hostNetnsPath: '/proc/self/ns/net', clock: realClock })
    if ('missing' in egress) {
      server.close()
      return context.skip(egress.missing)
    }
    assert.match(sh('ip -n cluster route'), /default via 192.168.127.1 dev egress0/)
    const asked = await new Promise<string>((resolve, reject) => {
      import('node:child_process').then(({ execFile }) =>
        execFile('ip', ['netns', 'exec', 'cluster', 'curl', '-sS', '-m', '3', 'http://192.0.2.1:8999/'], (error, stdout) =>
          error ? reject(error) : resolve(stdout),
        ),
      )
    })
    assert.equal(asked, 'seen from 192.0.2.1')
    await egress.stop()
    assert.equal(sh('ip -n cluster route'), '')
    server.close()
  })

  test('without the helper it says so in a sentence', async () => {
    const path = process.env.PATH
    process.env.PATH = '/nowhere'
    const egress = await startEgress({ netnsPath: '/proc/self/ns/net', clock: realClock })
    process.env.PATH = path
    assert.ok('missing' in egress)
    assert.match(egress.missing, /^Pods cannot reach what lies outside the cluster: (pasta is not installed|.*tun)/)
  })
})
