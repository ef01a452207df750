/** A day's work with each kubectl that is supported; the other tests use the newest. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { kubectlVersions } from '../../src/cluster/kubectl.ts'
import { eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import { type Kubectl, kubectl } from '../tools/kubectl.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster()
  // What `kubectl edit` calls: one word of the file is replaced.
  writeFileSync(join(cluster.dataDir, 'editor'), '#!/bin/sh\nsed -i "s/before-edit/after-edit/" "$1"\n', { mode: 0o755 })
})
after(() => cluster?.remove())

const web = (note: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { app: web }, annotations: { note: ${note} } }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{ name: main, image: "busybox:1.35", command: [sleep, "1000"] }]
`

for (const version of kubectlVersions)
  describe(`kubectl ${version}`, () => {
    let call: Kubectl
    before(async () => {
      const home = join(cluster.dataDir, `home-${version}`)
      const config = join(cluster.dataDir, 'kubeconfig')
      const namespace = `team-${version.replace('.', '-')}`
      const admin = await kubectl(config, { version, home })
      await admin(`create namespace ${namespace}`)
      const own = join(cluster.dataDir, `kubeconfig-${version}`)
      writeFileSync(own, await admin('config view --raw'))
      call = await kubectl(own, { version, home, env: { EDITOR: join(cluster.dataDir, 'editor') } })
      await call(`config set-context --current --namespace=${namespace}`)
    })

    it('is what it says', async () => {
      const said = await call.says('version')
      assert.match(said, new RegExp(`Client Version: v${version.replace('.', '\\.')}\\.`))
      assert.match(said, /Server Version: v1\.36\./)
    })

    it('creates and applies, from the client and on the server', async () => {
      assert.equal(await call('create configmap words --from-literal=a=1'), 'configmap/words created\n')
      assert.equal(await call('create -f -', { stdin: web('before-edit') }), 'deployment.apps/web created\n')
      assert.match(await call.says('apply -f -', { stdin: web('before-edit') }), /deployment\.apps\/web configured\n/)
      assert.equal(await call('apply -f -', { stdin: web('before-edit') }), 'deployment.apps/web unchanged\n')
      assert.equal(await call('apply --server-side --force-conflicts -f -', { stdin: web('before-edit') }), 'deployment.apps/web serverside-applied\n')
      assert.match((await call.run(['diff', '-f', '-'], { stdin: web('other') })).stdout, /- {4}note: before-edit\n\+ {4}note: other/)
      assert.match(await call.says('apply -f -', { stdin: 'apiVersion: v1\nkind: Podd\nmetadata: { name: bad }\n' }), /no matches for kind "Podd"/)
    })

    it('shows', async () => {
      await call('rollout status deployment/web --timeout=30s', { timeoutMs: 40_000 })
      assert.match(
        await call('get deployment web -o wide'),
        /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE +CONTAINERS +IMAGES +SELECTOR\nweb +1\/1 +1 +1 +\d+s +main +busybox:1\.35 +app=web\n$/,
      )
      assert.match(await call('get pods -l app=web -o wide'), /web-\S+ +1\/1 +Running +0 +\d+s +10\.\S+ +node-1 +<none> +<none>/)
      assert.match(await call('get deployment web -o yaml'), /^apiVersion: apps\/v1\n/)
      assert.equal(JSON.parse(await call('get configmap words -o json')).data.a, '1')
      assert.equal(await call("get configmap words -o 'jsonpath={.data.a}'"), '1')
      assert.match(await call('describe deployment web'), /OldReplicaSets: +<none>\nNewReplicaSet: +web-\S+ \(1\/1 replicas created\)/)
      assert.match(await call('explain deployment.spec.strategy'), /FIELD: strategy <DeploymentStrategy>/)
      assert.match(await call('api-resources --api-group=apps'), /deployments +deploy +apps\/v1 +true +Deployment/)
      assert.match(await call('events --for deployment/web'), /Normal +ScalingReplicaSet +Deployment\/web +Scaled up replica set web-\S+ from 0 to 1/)
    })

    it('watches', async () => {
      const watch = call.start(['get', 'configmaps', '-w'])
      let seen = ''
      watch.stdout.on('data', (text) => {
        seen += text
      })
      try {
        await eventually('it shows what is there', async () => seen.includes('words'))
        await call('create configmap later')
        await eventually('it shows what comes', async () => seen.includes('later'))
      } finally {
        watch.kill()
      }
    })

    it('changes', async () => {
      assert.equal(await call('edit deployment web'), 'deployment.apps/web edited\n')
      assert.equal(await call("get deployment web -o 'jsonpath={.metadata.annotations.note}'"), 'after-edit')
      assert.equal(await call('label configmap words tier=one'), 'configmap/words labeled\n')
      assert.equal(await call('annotate configmap words why=because'), 'configmap/words annotated\n')
      for (const type of ['merge', 'strategic'])
        assert.match(await call.says(`patch configmap words --type=${type} -p {"data":{"${type}":"x"}}`), /^configmap\/words patched\n$/)
      assert.equal(await call('patch configmap words --type=json -p [{"op":"remove","path":"/data/a"}]'), 'configmap/words patched\n')
      assert.deepEqual(JSON.parse(await call('get configmap words -o json')).data, { merge: 'x', strategic: 'x' })
    })

    it('rolls out, back, and scales', async () => {
      const arrived = () => call('rollout status deployment/web --timeout=30s', { timeoutMs: 40_000 })
      assert.equal(await call('set env deployment/web A=1'), 'deployment.apps/web env updated\n')
      assert.match(await arrived(), /successfully rolled out/)
      assert.match(await call('rollout history deployment/web'), /REVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>\n/)
      assert.equal(await call('rollout undo deployment/web'), 'deployment.apps/web rolled back\n')
      assert.equal(await call('rollout restart deployment/web'), 'deployment.apps/web restarted\n')
      assert.equal(await call('scale deployment web --replicas=2'), 'deployment.apps/web scaled\n')
      assert.match(await arrived(), /successfully rolled out/)
      await call('wait --for=jsonpath={.status.readyReplicas}=2 deployment/web --timeout=20s', { timeoutMs: 30_000 })
      assert.equal(await call('set image deployment/web main=busybox:nowhere'), 'deployment.apps/web image updated\n')
      assert.match(await call.says('rollout status deployment/web --timeout=1s'), /timed out waiting for the condition/)
    })

    it('deletes', async () => {
      assert.match(await call('delete deployment/web configmap/words --wait'), /^deployment\.apps "web" deleted.*\nconfigmap "words" deleted.*\n$/)
      await call('wait --for=delete pod -l app=web --timeout=20s', { timeoutMs: 30_000 })
      assert.match(await call.says('get pods'), /^No resources found in team-/)
    })
  })
