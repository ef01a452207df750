/** Controllers, scheduler and kubelet, each as its own user with the rights that the default roles give, run a Deployment. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createInProcessTransport } from '../../src/apiserver/in-process-transport.ts'
import type { UserInfo } from '../../src/apiserver/request.ts'
import { services } from '../../src/apiserver/services/services.ts'
import { createClient } from '../../src/client/api-client.ts'
import type { ComponentContext } from '../../src/client/component.ts'
import { createInformerFactory } from '../../src/client/informer-factory.ts'
import { createLogger } from '../../src/client/logger.ts'
import { controllerManagerUser, nodeUser, schedulerUser } from '../../src/cluster/users.ts'
import { startControllerManager } from '../../src/controllers/all-controllers.ts'
import { startKubelet } from '../../src/kubelet/kubelet.ts'
import { simulatedProbes } from '../../src/kubelet/probes/network-probes.ts'
import { realClock as clock } from '../../src/machinery/real-clock.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/simulated-runtime.ts'
import { startScheduler } from '../../src/scheduler/scheduler.ts'
import { startApiServer } from '../tools/api-server.ts'
import { kubectl } from '../tools/kubectl.ts'

describe('components with the rights of the default roles', () => {
  it('bring a Deployment to life, and answer for its pods', async () => {
    const api = await startApiServer({ parts: [services()] })
    const refused: string[] = []
    const log = createLogger({ clock, write: (line) => void (/forbidden/i.test(line) && refused.push(line)) })
    const contexts: ComponentContext[] = []
    const context = (name: string, user: UserInfo): ComponentContext => {
      const client = createClient(createInProcessTransport(api.server, { user, userAgent: name }), { userAgent: name })
      const made = { client, clock, log, informers: createInformerFactory({ client, clock, log }), span() {} }
      contexts.push(made)
      return made
    }
    const controllers = startControllerManager(context('kube-controller-manager', controllerManagerUser), { clusterCa: api.pki.ca.certificate })
    const scheduler = startScheduler(context('kube-scheduler', schedulerUser))
    const runtime = new SimulatedRuntime({ clock, life: () => ({}) })
    const serving = await api.pki.kubeletServing('node-1', ['127.0.0.1'])
    const kubelet = startKubelet(context('kubelet', nodeUser('node-1')), {
      nodeName: 'node-1',
      runtime,
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      rootDirectory: join(api.dir, 'kubelet'),
      clusterDNS: ['10.96.0.10'],
      clusterDomain: 'cluster.local',
      capacity: { cpu: '2', memory: '4Gi' },
      probes: simulatedProbes(runtime),
      server: { host: '127.0.0.1', port: 0, tls: { key: serving.key, cert: serving.certificate, clientCA: api.pki.ca.certificate } },
    })
    await kubelet.ready
    const call = await kubectl(api.kubeconfig)
    await call('create namespace web')
    await call('create deployment web --image=nginx -n web --replicas=2')
    assert.match(await call('rollout status deployment/web -n web --timeout=15s'), /successfully rolled out/)
    assert.equal((await call.run(['logs', '-n', 'web', 'deploy/web'])).code, 0)
    // The way to the kubelet is open; what is at its end only pretends.
    assert.match((await call.run(['exec', '-n', 'web', 'deploy/web', '--', 'true'])).stderr, /the container is simulated/)
    assert.equal(JSON.parse(await call('get --raw /api/v1/nodes/node-1/proxy/pods')).items.length, 2)
    assert.deepEqual(refused, [])
    await kubelet.stop()
    await scheduler.stop()
    await controllers.stop()
    for (const { informers } of contexts) informers.stop()
    await api.stop()
  })
})
