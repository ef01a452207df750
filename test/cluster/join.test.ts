/** A node on another machine: network namespaces are the machines, a cable is their network. */
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { eventually, skiff, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import { insideNamespaces } from '../tools/namespaces.ts'
import { nodeTeller, nodeTellerService } from '../tools/node-teller.ts'

const run = promisify(execFile)
const here = '192.0.2.1'

const web = `
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - ${nodeTeller}
---${nodeTellerService}`

const inside = insideNamespaces(import.meta.url, ['crun', 'conmon', 'ip', 'bridge'])
if (inside)
  describe('a machine that joins', () => {
    let cluster: TestCluster
    const far = join(inside.directory, 'far')
    const links = (...words: string[]) =>
      execFileSync('ip', [...words, '-br', 'link'], { encoding: 'utf8' })
        .split('\n')
        .map((line) => line.split(/[@ ]/)[0])
    before(async () => {
      const commands = [
        'link set lo up',
        'netns add far',
        'link add near type veth peer name eth0 netns far',
        `addr add ${here}/24 dev near`,
        'link set near up',
      ]
      mkdirSync('/run/netns', { recursive: true })
      execFileSync('mount', ['-t', 'tmpfs', 'machines', '/run/netns'])
      for (const words of commands) execFileSync('ip', words.split(' '))
      for (const words of ['addr add 192.0.2.2/24 dev eth0', 'link set eth0 up', 'link set lo up']) execFileSync('ip', ['-n', 'far', ...words.split(' ')])
      cluster = await startTestCluster({ words: ['--join-address', here] })
      mkdirSync(far)
      execFileSync('cp', ['-a', join(cluster.dataDir, 'images'), join(far, 'images')])
    })
    after(async () => {
      await run(skiff, ['down', '--data-dir', far]).catch(() => {})
      await cluster?.remove()
      execFileSync('ip', ['netns', 'delete', 'far'])
      execFileSync('umount', ['/run/netns'])
    })
    const agent = (...words: string[]) =>
      run('ip', ['netns', 'exec', 'far', skiff, 'agent', '--node-name', 'far', '--data-dir', far, '--egress', 'off', '--detach', ...words], { timeout: 60_000 })
    const server = () => `https://${here}:${cluster.running()?.apiPort}`
    const token = async (...words: string[]) => (await cluster.skiff('token', 'create', '--data-dir', cluster.dataDir, ...words)).stdout.trim()

    it('is refused with a wrong token, in one sentence', async () => {
      await assert.rejects(agent('--server', server(), '--token', 'abcdef.0123456789abcdef'), /knows no token abcdef/)
      await assert.rejects(agent('--server', server(), '--token', 'nonsense'), /token/)
      const good = await token()
      for (const name of ['Far_Away', '', 'a'.repeat(64)])
        await assert.rejects(agent('--server', server(), '--token', good, `--node-name=${name}`), {
          stderr: `skiff: the name of a node has at most 63 characters of a-z, 0-9, '-' and '.', and begins and ends with one of the first two: choose one with --node-name, not '${name}'\n`,
        })
      await assert.rejects(agent('--server', 'http://somewhere'), /--server takes an address like/)
      assert.equal((await cluster.kubectl('get nodes,csr -o name')).trim(), 'node/node-1')
    })

    it('is a node by the command that the server prints, and its network stays as it was', async () => {
      const before_ = [links(), links('-n', 'far')]
      const words = (await token('--print-join-command', '--server', server())).split(' ').slice(2)
      await agent(...words)
      await eventually(
        'it is ready',
        async () => (await cluster.kubectl('get node far -o jsonpath={.status.conditions[?(@.type=="Ready")].status}')) === 'True',
      )
      assert.deepEqual([links(), links('-n', 'far')], before_)
      const again = agent('--server', server(), '--token', await token(), '--node-name', 'second')
      await assert.rejects(again, /^Error: [^\n]*\nskiff: node 'far' is running over [^\n]*\n$/)
    })

    it('runs pods that reach those of the other machine, and are reached, by Service and name', async () => {
      await cluster.kubectl('apply -f -', { stdin: web })
      const names = await eventually('a pod on each', async () => {
        const found = (
          await cluster.kubectl("get pods -l app=web -o 'jsonpath={range .items[?(@.status.containerStatuses[0].ready==true)]}{.metadata.name},{end}'")
        )
          .split(',')
          .filter(Boolean)
        return found.length === 2 && found
      })
      for (const name of names)
        await eventually(`${name} reaches both`, async () => {
          const text = await cluster.kubectl(`exec ${name} -- sh -c 'for i in 1 2 3 4 5 6 7 8; do wget -qO- http://web/; done'`)
          return ['far', 'node-1'].every((node) => text.includes(node))
        })
    })

    it('loses no packet for its size', async () => {
      const pods = await cluster.kubectl("get pods -l app=web -o 'jsonpath={range .items[*]}{.metadata.name} {.status.podIP},{end}'")
      const [[from = ''] = [], [, to = ''] = []] = pods.split(',').map((line) => line.split(' '))
      for (const size of [1400, 1440, 1472, 9000])
        assert.match(await cluster.kubectl(`exec ${from} -- ping -c 2 -i 0.2 -W 2 -s ${size} ${to}`), / 0% packet loss/, `${size} octets`)
    })

    it('comes back without a token after it was stopped', async () => {
      assert.match((await run(skiff, ['down', '--data-dir', far])).stdout, /stopped/)
      await agent('--server', server())
      await eventually('exec into its pod works', async () => {
        const name = await cluster.kubectl('get pods -l app=web --field-selector spec.nodeName=far -o jsonpath={.items[0].metadata.name}')
        return (await cluster.kubectl(`exec ${name} -- wget -qO- http://127.0.0.1:8080/`)).trim() === 'far'
      })
    })

    const asNode = (words: string) => {
      const pki = join(far, 'pki')
      return cluster.kubectl(
        `--server ${server()} --certificate-authority ${pki}/ca.crt --client-certificate ${pki}/client.crt --client-key ${pki}/client.key ${words}`,
      )
    }
    const askingToken = '-n kube-system create token kube-proxy --bound-object-kind=Node --bound-object-name=far'

    it('may not read nor write what belongs to another node', async () => {
      await assert.rejects(asNode('label node node-1 a=b'), /forbidden/i)
      await assert.rejects(asNode('get secrets -A'), /forbidden/i)
      await assert.rejects(asNode('get nodes'), /node 'far' cannot read all nodes, only its own Node object/)
      await assert.rejects(asNode('get node node-1'), /node 'far' cannot read 'node-1', only its own Node object/)
      await assert.rejects(asNode('get endpointslices -A'), /User "system:node:far" cannot list resource "endpointslices"/)
      await asNode('get node far')
    })

    it('needed nothing that was refused', () => assert.doesNotMatch(readFileSync(join(far, 'logs/agent.log'), 'utf8'), /forbidden|unauthorized/i))

    it('has no credential for its Service proxy any more when it is removed', async () => {
      const token = (await asNode(askingToken)).trim()
      // The administrator's certificate would count more than a token.
      const asProxy = () =>
        cluster.kubectl(`--kubeconfig=/dev/null --server ${server()} --certificate-authority ${join(far, 'pki/ca.crt')} --token ${token} get nodes -o name`)
      assert.equal(await asProxy(), 'node/far\nnode/node-1\n')
      await run(skiff, ['down', '--data-dir', far])
      await cluster.kubectl('delete node far')
      await assert.rejects(asProxy(), /Unauthorized/)
      await assert.rejects(asNode(askingToken), /nodes "far" not found/)
    })
  })
