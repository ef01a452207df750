import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApiServer, type TestApiServer } from '../tools/api-server.ts'
import { type Kubectl, kubectl } from '../tools/kubectl.ts'

let api: TestApiServer
let admin: Kubectl
before(async () => {
  api = await startApiServer()
  admin = await kubectl(api.kubeconfig)
})
after(() => api.stop())

const configMap = (value: string) => `
apiVersion: v1
kind: ConfigMap
metadata:
  name: flask-config
data:
  DB_HOST: ${value}
`

describe('kubectl as administrator', () => {
  it('creates a namespace and applies a ConfigMap to it, twice', async () => {
    assert.equal(await admin('create namespace flask-postgres-app'), 'namespace/flask-postgres-app created\n')
    assert.equal(await admin('apply -n flask-postgres-app -f -', { stdin: configMap('a') }), 'configmap/flask-config created\n')
    assert.equal(await admin('apply -n flask-postgres-app -f -', { stdin: configMap('b') }), 'configmap/flask-config configured\n')
    assert.equal(await admin('apply -n flask-postgres-app -f -', { stdin: configMap('b') }), 'configmap/flask-config unchanged\n')
    assert.equal(await admin("get cm flask-config -n flask-postgres-app -o 'jsonpath={.data.DB_HOST}'"), 'b')
    assert.equal(
      await admin('apply --server-side --force-conflicts -n flask-postgres-app -f -', { stdin: configMap('c') }),
      'configmap/flask-config serverside-applied\n',
    )
  })

  it('finds what every cluster has', async () => {
    assert.match(await admin('get namespaces'), /default\s+Active[\s\S]*kube-node-lease[\s\S]*kube-public[\s\S]*kube-system/)
    assert.match(await admin('get svc kubernetes'), /kubernetes\s+ClusterIP\s+10\.96\.0\.1\s+<none>\s+443\/TCP/)
    assert.match(await admin('get priorityclasses'), /system-cluster-critical\s+2000000000\s+false[\s\S]*system-node-critical\s+2000001000/)
    const view = JSON.parse(await admin('get clusterrole view -o json'))
    assert.ok(
      view.rules.some((rule: { resources?: string[] }) => rule.resources?.includes('pods')),
      'view is gathered',
    )
    assert.equal((JSON.parse(await admin('get clusterrole admin -o json')).rules as unknown[]).length > view.rules.length, true)
  })

  it('discovers and explains', async () => {
    const resources = await admin('api-resources')
    assert.match(resources, /^deployments\s+deploy\s+apps\/v1\s+true\s+Deployment$/m)
    assert.match(resources, /^pods\s+po\s+v1\s+true\s+Pod$/m)
    assert.match(await admin('explain deployment.spec.replicas'), /FIELD: replicas <integer>/)
    assert.match(await admin('version'), /Server Version: v1\.36/)
    assert.equal(await admin('get --raw /readyz'), 'ok')
  })

  it('hears what is wrong with a namespace', async () => {
    const missing = await admin.run(['create', 'cm', 'x', '-n', 'nowhere'])
    assert.match(missing.stderr, /Error from server \(NotFound\): namespaces "nowhere" not found|failed to create configmap: namespaces "nowhere" not found/)
    const immortal = await admin.run(['delete', 'namespace', 'default'])
    assert.match(immortal.stderr, /namespaces "default" is forbidden: this namespace may not be deleted/)
  })
})

describe('kubectl as somebody else', () => {
  it('is told what it may not do, in upstream’s words', async () => {
    const bob = await kubectl(await api.kubeconfigOf({ name: 'bob', groups: ['team'] }))
    const { code, stderr } = await bob.run(['get', 'pods', '-n', 'default'])
    assert.equal(code, 1)
    assert.match(
      stderr,
      /Error from server \(Forbidden\): pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "default"/,
    )
    assert.match((await bob.run(['get', 'nodes'])).stderr, /nodes is forbidden: User "bob" cannot list resource "nodes" in API group "" at the cluster scope/)
    assert.equal((await bob.run(['auth', 'can-i', 'list', 'pods'])).stdout, 'no\n')
    assert.match(await bob('auth whoami'), /Username\s+bob[\s\S]*team[\s\S]*system:authenticated/)
  })

  it('may do what a binding gives, from the moment of its creation', async () => {
    const carol = await kubectl(await api.kubeconfigOf({ name: 'carol' }))
    await admin('create rolebinding carol-views --clusterrole=view --user=carol -n default')
    assert.equal((await carol.run(['auth', 'can-i', 'list', 'pods', '-n', 'default'])).stdout, 'yes\n')
    assert.equal((await carol.run(['auth', 'can-i', 'get', 'secrets', '-n', 'default'])).stdout, 'no\n')
    assert.equal((await carol.run(['get', 'pods', '-n', 'default'])).stderr, 'No resources found in default namespace.\n')
    assert.match(await carol('auth can-i --list -n default'), /configmaps\s+\[\]\s+\[\]\s+\[get list watch\]/)
    await admin('delete rolebinding carol-views -n default')
    assert.equal((await carol.run(['auth', 'can-i', 'list', 'pods', '-n', 'default'])).stdout, 'no\n')
  })

  it('gives nobody more than it has', async () => {
    const frank = await kubectl(await api.kubeconfigOf({ name: 'frank' }))
    await admin('create rolebinding frank --clusterrole=admin --user=frank -n default')
    await frank('create role reader --verb=get --resource=pods -n default')
    await frank('create rolebinding gina --role=reader --user=gina -n default')
    const role = await frank.run(['create', 'role', 'nodes', '--verb=get', '--resource=nodes', '-n', 'default'])
    assert.match(
      role.stderr,
      /roles.rbac.authorization.k8s.io "nodes" is forbidden: user "frank" \(groups=\["system:authenticated"\]\) is attempting to grant RBAC permissions not currently held:\n\{APIGroups:\[""\], Resources:\["nodes"\], Verbs:\["get"\]\}/,
    )
    const binding = await frank.run(['create', 'rolebinding', 'gina-all', '--clusterrole=cluster-admin', '--user=gina', '-n', 'default'])
    assert.match(binding.stderr, /is attempting to grant RBAC permissions not currently held/)
    await admin('delete rolebinding frank gina -n default')
  })

  it('acts as another only where it may', async () => {
    assert.equal((await admin.run(['auth', 'can-i', 'list', 'pods', '--as=dave'])).stdout, 'no\n')
    assert.match(await admin('auth whoami --as=dave --as-group=crew'), /Username\s+dave[\s\S]*crew/)
    const eve = await kubectl(await api.kubeconfigOf({ name: 'eve' }))
    assert.match(
      (await eve.run(['get', 'pods', '--as=dave'])).stderr,
      /users "dave" is forbidden: User "eve" cannot impersonate resource "users" in API group "" at the cluster scope/,
    )
  })

  it('is nobody without credentials', async () => {
    const stranger = await kubectl(await api.kubeconfigOf({ token: 'not-a-token' }))
    assert.match((await stranger.run(['get', 'pods'])).stderr, /You must be logged in to the server|Unauthorized/)
  })
})

describe('service accounts', () => {
  it('get tokens that are good until the account goes', async () => {
    await admin('create serviceaccount robot')
    await admin('create clusterrolebinding robot --clusterrole=view --serviceaccount=default:robot')
    const token = (await admin('create token robot --duration=1h')).trim()
    const robot = await kubectl(await api.kubeconfigOf({ token }))
    assert.match(await robot('auth whoami'), /Username\s+system:serviceaccount:default:robot[\s\S]*system:serviceaccounts:default/)
    assert.equal((await robot.run(['auth', 'can-i', 'list', 'pods', '-A'])).stdout, 'yes\n')
    assert.match((await admin.run(['create', 'token', 'robot', '--duration=1m'])).stderr, /may not specify a duration less than 10 minutes/)
    await admin('delete serviceaccount robot')
    assert.match((await robot.run(['get', 'pods'])).stderr, /You must be logged in to the server|Unauthorized/)
  })
})
