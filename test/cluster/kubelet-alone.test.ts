/** `skiff kubelet`: a node by itself, that knows of its cluster no more than a kubeconfig. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { it } from 'node:test'
import { removeCgroupTree } from '../../src/cluster/cgroup-parent.ts'
import { buildBusyboxImage, openImageStore } from '../../src/runtime/embedded/image-operations.ts'
import { startApiServer } from '../tools/api-server.ts'
import { busybox, eventually, skiff } from '../tools/cluster.ts'
import { kubectl } from '../tools/kubectl.ts'
import { insideNamespaces } from '../tools/namespaces.ts'
import { forever, podOf } from '../tools/pod-manifest.ts'

const inside = insideNamespaces(import.meta.url, ['crun', 'conmon', 'ip', 'nft'])
if (inside)
  it('runs a pod for whatever API server its kubeconfig leads to, and leaves it running when it stops', async () => {
    const name = `alone-${inside.cgroupRoot.slice(-8)}`
    const root = join(inside.directory, 'node')
    await buildBusyboxImage(openImageStore(join(root, 'images')), busybox)
    const api = await startApiServer()
    const as = await kubectl(api.kubeconfig)
    const kubeconfig = await api.kubeconfigOf({ name: `system:node:${name}`, groups: ['system:nodes'] })
    const words = ['kubelet', '--kubeconfig', kubeconfig, '--node-name', name, '--node-ip', '127.0.0.1', '--root-dir', root, '--state-dir', join(root, 'run')]
    let said = ''
    const start = () => {
      const child = spawn(skiff, words, { stdio: ['ignore', 'pipe', 'pipe'] })
      for (const output of [child.stdout, child.stderr])
        output.on('data', (chunk) => {
          said += chunk
        })
      const ended = new Promise((resolve) => child.once('close', resolve))
      return async () => {
        child.kill('SIGTERM')
        return ended
      }
    }
    const condition = (what: string, type: string) => as(`get ${what} -o jsonpath={.status.conditions[?(@.type=="${type}")].status}`)
    const containerId = () => as('get pod web -o jsonpath={.status.containerStatuses[0].containerID}')
    let stop = start()
    try {
      await eventually('the node is ready', async () => (await condition(`node ${name}`, 'Ready')) === 'True')
      assert.equal(await condition(`node ${name}`, 'MemoryPressure'), 'False')
      await as('create serviceaccount default').catch(() => {})
      const manifest = podOf('web', `mkdir /www; echo ok > /www/index.html; httpd -p 8080 -h /www; ${forever}`, {
        container: 'readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 }',
        spec: `nodeName: ${name}\nautomountServiceAccountToken: false`,
      })
      const { code, stderr } = await as.run(['apply', '-f', '-'], { stdin: manifest })
      assert.equal(code, 0, stderr)
      await eventually('the pod is ready', async () => (await condition('pod web', 'Ready')) === 'True')
      const first = await containerId()
      assert.equal(await stop(), 0, 'it ends when it is told to')
      stop = start()
      await as('annotate pod web seen=yes')
      await eventually('the node is looked after again', async () => (await condition(`node ${name}`, 'Ready')) === 'True')
      assert.equal(await containerId(), first)
      await as('delete pod web --wait')
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : error}\n${said}`, { cause: error })
    } finally {
      await stop()
      await api.stop()
      removeCgroupTree(`/skiff-kubelet-${name}`)
    }
  })
