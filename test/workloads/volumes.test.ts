/** Volumes as a user meets them: what is in them, who owns it, how it follows its source, and the API from inside. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import type { V1PersistentVolume, V1PersistentVolumeClaim } from '../../src/machinery/schema/generated/types.ts'
import { eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import { nodeMounts, nodeProgram, nodeVolumes } from '../tools/host-node.ts'
import { type Objects, objectsOf } from '../tools/objects.ts'
import { forever, podOf } from '../tools/pod-manifest.ts'

const sources = `
apiVersion: v1
kind: ConfigMap
metadata: { name: files }
data: { "app.conf": "version one", other: "other" }
binaryData: { raw: AAEC }
---
apiVersion: v1
kind: Secret
metadata: { name: hidden }
stringData: { key: "secret one" }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: reader }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: reader }
rules: [{ apiGroups: [""], resources: [configmaps], verbs: [get, list] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: reader }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader }
subjects: [{ kind: ServiceAccount, name: reader }]
`

const readApi = `
const { readFileSync } = require('node:fs')
const account = '/var/run/secrets/kubernetes.io/serviceaccount'
const options = { ca: readFileSync(account + '/ca.crt'), headers: { authorization: 'Bearer ' + readFileSync(account + '/token') } }
require('node:https').get('https://kubernetes.default.svc' + process.argv[2], options, (response) => {
  let body = ''
  response.on('data', (text) => { body += text }).on('end', () => console.log(JSON.stringify({ status: response.statusCode, body })))
})
`

const claim = (name: string, more = '', size = '10Mi') => `
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: ${name} }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: ${size} } }${more ? `, ${more}` : ''} }
`
const withClaim = (name: string, of: string, script: string, spec = '') =>
  podOf(name, script, {
    container: 'volumeMounts: [{ name: data, mountPath: /data }]',
    spec: `volumes: [{ name: data, persistentVolumeClaim: { claimName: ${of} } }]\n${spec}`,
  })

const classes = `
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: at-once }
provisioner: PROVISIONER
reclaimPolicy: Retain
volumeBindingMode: Immediate
`

const manifests = (host: string) =>
  [
    podOf('shared', forever, {
      container: 'volumeMounts: [{ name: disk, mountPath: /disk }, { name: memory, mountPath: /memory }]',
      spec: `volumes: [{ name: disk, emptyDir: {} }, { name: memory, emptyDir: { medium: Memory, sizeLimit: 2Mi } }]`,
    }),
    podOf('host-paths', forever, {
      container: 'volumeMounts: [{ name: dir, mountPath: /dir }, { name: file, mountPath: /file }, { name: made, mountPath: /made, readOnly: true }]',
      spec: `volumes: [{ name: dir, hostPath: { path: ${host}, type: Directory } }, { name: file, hostPath: { path: ${host}/file, type: File } }, { name: made, hostPath: { path: ${host}/made, type: DirectoryOrCreate } }]`,
    }),
    podOf('wrong-type', forever, {
      container: 'volumeMounts: [{ name: dir, mountPath: /dir }]',
      spec: `volumes: [{ name: dir, hostPath: { path: ${host}/file, type: Directory } }]`,
    }),
    podOf('config', forever, {
      container:
        'volumeMounts: [{ name: all, mountPath: /all }, { name: some, mountPath: /some }, { name: all, mountPath: /etc/app.conf, subPath: app.conf }, { name: hidden, mountPath: /hidden }, { name: self, mountPath: /self }]',
      spec: `
volumes:
  - { name: all, configMap: { name: files } }
  - { name: some, configMap: { name: files, defaultMode: 0400, items: [{ key: app.conf, path: deep/er.conf }, { key: other, path: run, mode: 0755 }] } }
  - { name: hidden, secret: { secretName: hidden, defaultMode: 0440 } }
  - name: self
    downwardAPI:
      items:
        - { path: labels, fieldRef: { fieldPath: metadata.labels } }
        - { path: name, fieldRef: { fieldPath: metadata.name } }
        - { path: memory, resourceFieldRef: { containerName: main, resource: requests.memory } }`,
    }),
    podOf('api-reader', forever, {
      container: `volumeMounts: [${nodeMounts}, { name: script, mountPath: /scripts }]`,
      spec: `serviceAccountName: reader\nvolumes: [${nodeVolumes}, { name: script, configMap: { name: script } }]`,
    }),
    podOf('no-token', forever, { spec: 'automountServiceAccountToken: false' }),
    podOf('audience', forever, {
      container: 'volumeMounts: [{ name: token, mountPath: /token }]',
      spec: 'securityContext: { runAsUser: 1000, fsGroup: 2000 }\nvolumes: [{ name: token, projected: { sources: [{ serviceAccountToken: { path: vault, audience: vault, expirationSeconds: 600 } }, { configMap: { name: files, items: [{ key: other, path: other }] } }] } }]',
    }),
    claim('late'),
    claim('unknown-class', 'storageClassName: missing'),
    claim('chosen', 'storageClassName: "", volumeName: by-hand'),
    claim('at-once', 'storageClassName: at-once'),
    withClaim('writer', 'late', `echo written > /data/file; ${forever}`, 'securityContext: { runAsUser: 1000 }'),
    withClaim('unbound', 'unknown-class', forever),
    withClaim('no-claim', 'nowhere', forever),
    withClaim('chosen', 'chosen', `echo chosen > /data/file; ${forever}`),
    `
---
apiVersion: v1
kind: PersistentVolume
metadata: { name: by-hand }
spec:
  capacity: { storage: 1Gi }
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  hostPath: { path: ${host}/by-hand, type: DirectoryOrCreate }
`,
  ].join('')

describe('volumes', () => {
  let cluster: TestCluster
  let on: Objects
  let host: string
  before(async () => {
    cluster = await startTestCluster()
    on = objectsOf(cluster)
    host = `${cluster.dataDir}/host`
    mkdirSync(host)
    writeFileSync(`${host}/file`, 'from the host')
    const provisioner = await cluster.kubectl('get storageclass standard -o jsonpath={.provisioner}')
    writeFileSync(`${host}/read-api.cjs`, readApi)
    await cluster.kubectl(`create configmap script --from-file=${host}/read-api.cjs`)
    await on.apply(sources + classes.replace('PROVISIONER', provisioner) + manifests(host))
  })
  after(() => cluster?.remove())
  const running = (name: string, seconds?: number) => on.podUntil(name, 'runs', (pod) => pod.status?.phase === 'Running', seconds)
  const claimUntil = (name: string, phase: string) =>
    eventually(`claim ${name} is ${phase}`, async () => {
      const found = await on.get<V1PersistentVolumeClaim>('pvc', name)
      return found.status?.phase === phase ? found : undefined
    })

  it('gives an empty directory of disk or of memory, which holds no more than its limit', async () => {
    await running('shared')
    assert.match(
      await on.sh('shared', 'touch /disk/a /memory/a && ls /disk /memory && stat -c %a /disk && mount | grep /memory'),
      /777\n[\s\S]*tmpfs on \/memory type tmpfs \(rw,/,
    )
    await assert.rejects(on.sh('shared', 'dd if=/dev/zero of=/memory/b bs=1M count=4'), /No space left/)
  })

  it('mounts what is on the node, where it is what it is said to be', async () => {
    await running('host-paths')
    assert.equal(await on.sh('host-paths', 'cat /file && echo back > /dir/back && cat /dir/file'), 'from the hostfrom the host')
    await assert.rejects(on.sh('host-paths', 'touch /made/a'), /Read-only file system/)
    await on.event(
      'Pod',
      'wrong-type',
      /^Warning FailedMount MountVolume.SetUp failed for volume "dir" : hostPath type check failed: .*\/file is not a directory$/,
    )
  })

  it('has ConfigMaps and Secrets as files with the modes and paths asked for, and follows them', async () => {
    await running('config')
    const listed = await on.sh(
      'config',
      'cd /all && ls && cat app.conf && xxd -p raw && cd /some && find . -type l && stat -Lc "%a %n" deep/er.conf run && stat -Lc %a /hidden/key && cat /etc/app.conf /self/*',
    )
    assert.match(listed, /^app.conf\nother\nraw\nversion one000102\n/)
    assert.match(listed, /400 deep\/er.conf\n755 run\n440\n/)
    assert.match(listed, /version oneapp="config"\n?0config$|version oneapp="config"0config$/)
    assert.match(await on.sh('config', 'mount | grep /hidden'), /tmpfs/)
    await cluster.kubectl('create configmap files --from-literal=app.conf=changed --dry-run=client -o yaml').then((yaml) => on.apply(yaml))
    await cluster.kubectl('patch secret hidden -p {"stringData":{"key":"secret-two"}}')
    await cluster.kubectl('label pod config more=yes')
    await eventually(
      'the files have changed',
      async () => (await on.sh('config', 'cat /all/app.conf /hidden/key /self/labels')) === 'changedsecret-twoapp="config"\nmore="yes"',
      60,
    )
    assert.equal(await on.sh('config', 'ls /all; cat /etc/app.conf'), 'app.conf\nversion one')
  })

  it('reaches the API from inside with its token, and may do there what its account may', async () => {
    await running('api-reader')
    const get = async (path: string) =>
      JSON.parse(await on.sh('api-reader', `${nodeProgram} /scripts/read-api.cjs ${path}`)) as { status: number; body: string }
    const one = await get('/api/v1/namespaces/default/configmaps/files')
    assert.equal(one.status, 200)
    assert.match(one.body, /"kind":\s*"ConfigMap"/)
    const refused = await get('/api/v1/namespaces/default/secrets')
    assert.equal(refused.status, 403)
    assert.match(refused.body, /User \\"system:serviceaccount:default:reader\\" cannot list resource \\"secrets\\" in API group/)
    assert.equal((await get('/api/v1/namespaces/kube-system/configmaps')).status, 403)
    assert.match(
      await on.sh('api-reader', 'cd /var/run/secrets/kubernetes.io/serviceaccount; ls; cat namespace; head -1 ca.crt'),
      /^ca.crt\nnamespace\ntoken\ndefault-----BEGIN CERTIFICATE-----\n$/,
    )
    await running('no-token')
    await assert.rejects(on.sh('no-token', 'ls /var/run/secrets/kubernetes.io'), /No such file/)
    await running('audience')
    const token = await on.sh('audience', 'cat /token/vault')
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    assert.deepEqual(claims.aud, ['vault'])
    assert.equal(claims['kubernetes.io'].pod.name, 'audience')
    assert.equal(claims.exp - claims.iat, 600)
    assert.equal(await on.sh('audience', 'cat /token/other'), 'other')
    assert.equal(await on.sh('audience', 'stat -Lc "%a %u:%g" /token/vault /token/other /token'), '640 1000:2000\n644 0:2000\n2777 0:2000\n')
    assert.equal(await on.sh('chosen', `stat -Lc "%a %u" /var/run/secrets/kubernetes.io/serviceaccount/token`), '644 0\n')
  })

  it('makes a volume for a claim when its first pod is placed, keeps the data, and removes it with the claim', async () => {
    await running('writer')
    const bound = await claimUntil('late', 'Bound')
    assert.equal(bound.status?.capacity?.storage, '10Mi')
    await cluster.kubectl('delete pod writer')
    await on.apply(withClaim('second', 'late', forever))
    await running('second')
    assert.equal(await on.sh('second', 'cat /data/file'), 'written\n')
    await cluster.kubectl('delete pvc late --wait=false')
    assert.match(await cluster.kubectl('get pvc late --no-headers'), /Terminating/)
    await cluster.kubectl('delete pod second')
    await eventually('claim and volume are gone', async () => {
      const left = await cluster.kubectl('get pvc,pv -o name')
      return !left.includes('/late') && !left.includes(bound.spec.volumeName ?? '?')
    })
  })

  it('says why a claim that waits is pending', async () => {
    assert.match(
      await on.event('PersistentVolumeClaim', 'unknown-class', /ProvisioningFailed/),
      /^Warning ProvisioningFailed storageclass.storage.k8s.io "missing" not found$/,
    )
    await on.event('Pod', 'unbound', /^Warning FailedScheduling 0\/1 nodes are available: pod has unbound immediate PersistentVolumeClaims\./)
    await on.event('Pod', 'no-claim', /^Warning FailedScheduling 0\/1 nodes are available: persistentvolumeclaim "nowhere" not found\./)
    await on.apply(claim('unused'))
    await on.event('PersistentVolumeClaim', 'unused', /^Normal WaitForFirstConsumer waiting for first consumer to be created before binding$/)
  })

  it('binds at once where the class says so, and keeps a retained volume when its claim goes', async () => {
    const { spec } = await claimUntil('at-once', 'Bound')
    await cluster.kubectl('delete pvc at-once')
    const released = await eventually('the volume is released', async () => {
      const volume = await on.get<V1PersistentVolume>('pv', spec.volumeName ?? '')
      return volume.status?.phase === 'Released' ? volume : undefined
    })
    assert.equal(released.spec.persistentVolumeReclaimPolicy, 'Retain')
  })

  it('binds the volume that was made by hand', async () => {
    await running('chosen')
    const bound = await claimUntil('chosen', 'Bound')
    assert.equal(bound.spec.volumeName, 'by-hand')
    assert.equal(bound.status?.capacity?.storage, '1Gi')
    assert.equal(await on.sh('host-paths', 'cat /dir/by-hand/file'), 'chosen\n')
  })
})
