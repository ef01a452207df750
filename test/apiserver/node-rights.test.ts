/** A kubelet's client certificate opens what its own pods need, and nothing else. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createRequest } from '../../src/cluster/pki/certificate-authority.ts'
import { startApiServer, type TestApiServer } from '../tools/api-server.ts'
import { type Kubectl, kubectl } from '../tools/kubectl.ts'

const objects = [
  ...['mine', 'other', 'pull', 'of-volume', 'free'].map((name) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { key: name } })),
  ...['mine', 'other'].map((name) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { key: name } })),
  ...['default', 'worker', 'stranger'].map((name) => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } })),
  ...['mine', 'other'].map((name) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: '', resources: { requests: { storage: '1Gi' } } },
  })),
  ...['mine', 'other'].map((name) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `volume-${name}` },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      claimRef: { namespace: 'default', name },
      csi: { driver: 'csi.example.com', volumeHandle: name, nodeStageSecretRef: { name: name === 'mine' ? 'of-volume' : 'free', namespace: 'default' } },
    },
  })),
]
const pod = (name: string, node: string | undefined, its: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    ...(node ? { nodeName: node } : {}),
    serviceAccountName: its === 'mine' ? 'worker' : 'default',
    imagePullSecrets: its === 'mine' ? [{ name: 'pull' }] : [],
    containers: [
      {
        name: 'main',
        image: 'main',
        envFrom: [{ configMapRef: { name: its } }],
        env: [{ name: 'KEY', valueFrom: { secretKeyRef: { name: its, key: 'key' } } }],
      },
    ],
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: its } }],
  },
})

describe("a kubelet's rights", () => {
  let api: TestApiServer
  let admin: Kubectl
  let node: Kubectl
  before(async () => {
    api = await startApiServer()
    admin = await kubectl(api.kubeconfig)
    node = await kubectl(await api.kubeconfigOf({ name: 'system:node:one', groups: ['system:nodes'] }))
    await admin('apply -f -', { stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) })
    await admin('create -f -', { stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [pod('here', 'one', 'mine'), pod('there', 'two', 'other')] }) })
  })
  after(() => api?.stop())

  const refused = async (args: string, why: RegExp | string, stdin?: string) => {
    const { code, stderr } = await node.run(args.split(' '), stdin === undefined ? {} : { stdin })
    assert.notEqual(code, 0, `kubectl ${args} was allowed`)
    if (typeof why === 'string') assert.ok(stderr.includes(why), stderr)
    else assert.match(stderr, why)
  }
  const unrelated = "no relationship found between node 'one' and this object"

  it('reads what its pods refer to', async () => {
    for (const object of [
      'secret/mine',
      'secret/pull',
      'secret/of-volume',
      'configmap/mine',
      'pvc/mine',
      'pv/volume-mine',
      'serviceaccount/worker',
      'pod/here',
      'node/one',
    ])
      if (object !== 'node/one') assert.match(await node(`get ${object} -o name`), /mine|pull|of-volume|worker|here/)
    const one = await node('get --raw /api/v1/namespaces/default/secrets?fieldSelector=metadata.name%3Dmine')
    assert.equal(JSON.parse(one).items.length, 1)
  })

  it('reads nothing that only pods of other nodes refer to', async () => {
    for (const object of ['secret/other', 'secret/free', 'configmap/other', 'pvc/other', 'pv/volume-other', 'serviceaccount/stranger', 'pod/there'])
      await refused(`get ${object}`, unrelated)
    await refused('get secret/unborn', unrelated)
    await refused('get secrets', 'secrets is forbidden: User "system:node:one" cannot list resource "secrets" in API group "" in the namespace "default"')
    await refused('get secrets -A', 'can only read namespaced object of this type')
    await refused('get pvc', 'can only get individual resources of this type')
    await refused('create secret generic new --from-literal=a=b', 'can only read resources of this type')
    await refused('delete secret mine', 'can only read resources of this type')
    await refused('get pods -A', 'can only list/watch pods with spec.nodeName field selector')
    await refused('get pods -A --field-selector spec.nodeName=two', 'can only list/watch pods with spec.nodeName field selector')
    assert.match(await node('get pods -A --field-selector spec.nodeName=one -o name'), /^pod\/here\n$/)
    for (const kind of ['deployments', 'roles', 'clusterroles', 'ingresses']) await refused(`get ${kind} -A`, 'is forbidden')
  })

  it('reads no more by a selector that only seems to ask for a name, nor by a name beside another selector', async () => {
    await admin('create -f -', { stdin: JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'far' } }) })
    const secrets = '/api/v1/namespaces/default/secrets'
    // An escaped comma belongs to the value before it.
    await refused(`get --raw ${secrets}?fieldSelector=type!%3Dx%5C,metadata.name%3Dmine`, 'No Object name found')
    const watched = async (path: string) => {
      const { stdout } = await node.run(['get', '--raw', `${path}watch=true&timeoutSeconds=1`])
      return stdout.split('\n').flatMap((line) => (line ? (JSON.parse(line).object.metadata.name as string) : []))
    }
    for (const path of [`${secrets}/mine?`, `${secrets}/mine/?`, `${secrets}/mine?fieldSelector=type!%3Dx&`])
      assert.deepEqual(await watched(path), ['mine'], path)
    // Node one is not there yet.
    assert.deepEqual(await watched('/api/v1/nodes/one?fieldSelector=spec.unschedulable!%3Dtrue&'), [])
    assert.deepEqual(await watched(`${secrets}/mine?fieldSelector=type!%3Dx%5C&`), [])
  })

  it('loses the right with its last pod, and gains it with the first', async () => {
    await refused('get secret/free', unrelated)
    await admin('create -f -', { stdin: JSON.stringify(pod('guest', 'one', 'free')) })
    assert.equal(await node('get secret/free -o name'), 'secret/free\n')
    await admin('delete pod guest --force --grace-period=0')
    await refused('get secret/free', unrelated)
    // Not bound yet: nobody's.
    await admin('create -f -', { stdin: JSON.stringify(pod('waiting', undefined, 'free')) })
    await refused('get secret/free', unrelated)
  })

  it('asks for tokens of its pods alone', async () => {
    const uid = await admin('get pod here -o jsonpath={.metadata.uid}')
    const bound = (uid_: string) => `--bound-object-kind=Pod --bound-object-name=here --bound-object-uid=${uid_}`
    assert.match(await node(`create token worker ${bound(uid)}`), /^ey/)
    await refused('create token worker', 'node requested token not bound to a pod')
    await refused(`create token worker ${bound('other')}`, /another|uid/)
    await refused(`create token stranger ${bound(uid)}`, unrelated)
  })

  it('writes its own Node, Lease and pod status, and no others', async () => {
    await node('create -f -', {
      stdin: JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'one', labels: { 'kubernetes.io/hostname': 'one' } } }),
    })
    await admin('create -f -', { stdin: JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'two' } }) })
    assert.equal(await node('get node one -o name'), 'node/one\n')
    await refused('get node two', "node 'one' cannot read 'two', only its own Node object")
    await refused('get nodes', 'only its own Node object')
    await node('label node one example.com/rack=1')
    await refused('label node two a=b', /only its own Node object|is not allowed to modify node/)
    await refused('label node one node-restriction.kubernetes.io/team=a', 'is not allowed to modify labels: node-restriction.kubernetes.io/team')
    await refused('label node one node-role.kubernetes.io/control-plane=', 'is not allowed to modify labels')
    await refused('taint node one a=b:NoSchedule', 'node "one" is not allowed to modify taints')
    await refused('delete node one', 'is forbidden')
    const lease = (name: string, namespace: string) =>
      JSON.stringify({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace }, spec: { holderIdentity: 'one' } })
    await node('create -f -', { stdin: lease('one', 'kube-node-lease') })
    await refused('create -f -', 'can only access node lease with the same name as the requesting node', lease('two', 'kube-node-lease'))
    await refused('create -f -', 'can only access leases in the "kube-node-lease" system namespace', lease('one', 'kube-system'))
    const statusOf = async (name: string) => {
      const object = JSON.parse(await admin(`get pod ${name} -o json`))
      return JSON.stringify({ ...object, status: { ...object.status, message: 'seen' } })
    }
    await node('replace --raw /api/v1/namespaces/default/pods/here/status -f -', { stdin: await statusOf('here') })
    assert.equal(await admin('get pod here -o jsonpath={.status.message}'), 'seen')
    await refused('replace --raw /api/v1/namespaces/default/pods/there/status -f -', unrelated, await statusOf('there'))
    await refused('label pod here a=b', 'is forbidden')
    await refused('create -f -', 'can only create mirror pods', JSON.stringify(pod('new', 'one', 'other')))
    await refused('delete pod there', unrelated)
    await node('delete pod here --grace-period=0 --force')
  })

  it('writes its own CSINode and ResourceSlices, and no others', async () => {
    const csiNode = (name: string) => JSON.stringify({ apiVersion: 'storage.k8s.io/v1', kind: 'CSINode', metadata: { name }, spec: { drivers: [] } })
    await node('create -f -', { stdin: csiNode('one') })
    await admin('create -f -', { stdin: csiNode('two') })
    await refused('create -f -', 'is not allowed to modify CSINode "three"', csiNode('three'))
    await refused('get csinode two', 'can only access CSINode with the same name as the requesting node')
    await refused('annotate csinode two a=b', 'can only access CSINode with the same name as the requesting node')
    const slice = (name: string, nodeName: string) =>
      JSON.stringify({
        apiVersion: 'resource.k8s.io/v1',
        kind: 'ResourceSlice',
        metadata: { name },
        spec: { driver: 'gpu.example.com', nodeName, pool: { name: nodeName, generation: 1, resourceSliceCount: 1 }, devices: [] },
      })
    await node('create -f -', { stdin: slice('of-one', 'one') })
    await admin('create -f -', { stdin: slice('of-two', 'two') })
    await refused('create -f -', 'can only create ResourceSlices with spec.nodeName set to itself', slice('stranger', 'two'))
    await refused('get resourceslices', 'can only list resourceslices with spec.nodeName field selector')
    assert.equal(await node('get resourceslices --field-selector spec.nodeName=one -o name'), 'resourceslice.resource.k8s.io/of-one\n')
    await refused('get resourceslice of-two', unrelated)
    await refused('label resourceslice of-two a=b', unrelated)
    await refused('delete resourceslice of-two', unrelated)
    await node('label resourceslice of-one a=b')
    await node('delete resourceslice of-one')
  })

  it("tells the size of a claim's volume, and nothing else of it", async () => {
    await admin('create -f -', { stdin: JSON.stringify(pod('holder', 'one', 'mine')) })
    const patch = (name: string, status: object) => `patch pvc ${name} --subresource=status --type=merge -p ${JSON.stringify({ status })}`
    await node(patch('mine', { capacity: { storage: '2Gi' } }))
    assert.equal(await admin('get pvc mine -o jsonpath={.status.capacity.storage}'), '2Gi')
    await refused(patch('mine', { phase: 'Lost' }), 'is not allowed to update fields other than status.quantity and status.conditions')
    await refused(patch('other', { capacity: { storage: '2Gi' } }), unrelated)
    await refused('label pvc mine a=b', 'is forbidden')
  })

  it('asks for certificates of its own name alone, and approves none', async () => {
    const request = async (name: string, commonName: string, signer: string, usage: string) => {
      const { request: pem } = await createRequest({ commonName, organizations: ['system:nodes'], ...(usage === 'server auth' ? { dnsNames: ['one'] } : {}) })
      const spec = { request: Buffer.from(pem).toString('base64'), signerName: `kubernetes.io/${signer}`, usages: ['digital signature', usage] }
      return JSON.stringify({ apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name }, spec })
    }
    const only = 'can only create a node CSR with CN=system:node:one'
    await refused('create -f -', only, await request('as-two', 'system:node:two', 'kube-apiserver-client-kubelet', 'client auth'))
    await refused('create -f -', only, await request('serve-as-two', 'system:node:two', 'kubelet-serving', 'server auth'))
    await node('create -f -', { stdin: await request('as-one', 'system:node:one', 'kube-apiserver-client-kubelet', 'client auth') })
    await refused('certificate approve as-one', 'is forbidden')
  })

  it('a certificate of the group without the name of a node may nothing of it', async () => {
    const odd = await kubectl(await api.kubeconfigOf({ name: 'somebody', groups: ['system:nodes'] }))
    for (const object of ['secret/mine', 'node/one', 'configmap/mine']) assert.notEqual((await odd.run(['get', object])).code, 0)
  })
})
