/** Declarative use: apply from the client and on the server, who owns what, diff, prune, kustomize; and bad manifests. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { startTestCluster, type TestCluster } from '../tools/cluster.ts'
import type { Kubectl } from '../tools/kubectl.ts'

let cluster: TestCluster
let admin: Kubectl
before(async () => {
  cluster = await startTestCluster()
  admin = cluster.kubectl
  await admin('create namespace team')
  await admin('config set-context --current --namespace=team')
})
after(() => cluster?.remove())

const deployment = (name: string, replicas: number, more = '') => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, labels: { app: ${name} } }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: main
          image: busybox:1.35
          command: [sleep, "1000"]
          env: [{ name: A, value: "1" }]
${more}`

const configMap = (name: string, data: string, more = '') => `
apiVersion: v1
kind: ConfigMap
metadata: { name: ${name}${more} }
data: ${data}
---`

const apply = (stdin: string, words = '') => admin.says(`apply ${words} -f -`, { stdin })

describe('kubectl apply', () => {
  it('creates, changes, and leaves alone', async () => {
    assert.equal(await apply(deployment('web', 2)), 'deployment.apps/web created\n')
    assert.equal(await apply(deployment('web', 2)), 'deployment.apps/web unchanged\n')
    assert.equal(await apply(deployment('web', 3)), 'deployment.apps/web configured\n')
    assert.equal(await apply(deployment('web', 3), '--dry-run=server'), 'deployment.apps/web unchanged (server dry run)\n')
  })

  it('takes away what is no longer applied, and nothing else', async () => {
    await apply(configMap('shared', '{ a: "1", b: "2" }'))
    await admin(`patch configmap shared --type=merge -p '{"data":{"c":"3"}}'`)
    await apply(configMap('shared', '{ a: "1" }'))
    assert.equal(await admin("get configmap shared -o 'jsonpath={.data}'"), '{"a":"1","c":"3"}')
  })

  it('shows the difference first', async () => {
    for (const words of ['', '--server-side']) {
      const { code, stdout } = await admin.run(['diff', ...(words ? [words] : []), '-f', '-'], { stdin: deployment('web', 4) })
      assert.equal(code, 1)
      assert.match(stdout, /^- {2}replicas: 3\n\+ {2}replicas: 4$/m)
    }
    assert.equal((await admin.run(['diff', '-f', '-'], { stdin: deployment('web', 3) })).code, 0)
  })

  it('prunes what its selector finds and its files lack', async () => {
    const labelled = ', labels: { set: one }'
    await apply(configMap('kept', '{ a: "1" }', labelled) + configMap('dropped', '{ a: "1" }', labelled))
    const words = '--prune -l set=one --prune-allowlist=core/v1/ConfigMap'
    assert.equal(await apply(configMap('kept', '{ a: "1" }', labelled), words), 'configmap/kept unchanged\nconfigmap/dropped pruned\n')
  })

  it('takes lists, several documents, and kustomizations', async () => {
    const items = ['one', 'two'].map((name) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } }))
    assert.equal(await apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items })), 'configmap/one created\nconfigmap/two created\n')
    const directory = join(cluster.dataDir, 'kustomization')
    mkdirSync(directory)
    writeFileSync(join(directory, 'deployment.yaml'), deployment('web', 1))
    writeFileSync(
      join(directory, 'kustomization.yaml'),
      'namePrefix: k-\nresources: [deployment.yaml]\nconfigMapGenerator: [{ name: made, literals: [a=b] }]\n',
    )
    assert.match(await admin(`apply -k ${directory}`), /configmap\/k-made-\w+ created\ndeployment\.apps\/k-web created/)
    assert.match(await admin(`delete -k ${directory}`), /"k-made-\w+" deleted[\s\S]*"k-web" deleted/)
  })

  it('knows what it applied last', async () => {
    assert.match(await admin('apply view-last-applied deployment/web'), /replicas: 3/)
    assert.equal(await admin('apply set-last-applied -f -', { stdin: deployment('web', 5) }), 'deployment.apps/web configured\n')
    assert.match(await admin('apply view-last-applied deployment/web'), /replicas: 5/)
  })
})

describe('kubectl apply --server-side', () => {
  it('owns what it applies', async () => {
    assert.equal(await apply(deployment('owned', 1), '--server-side'), 'deployment.apps/owned serverside-applied\n')
    const managers = JSON.parse(await admin('get deployment owned -o json --show-managed-fields')).metadata.managedFields as Record<string, unknown>[]
    const own = managers.find(({ operation }) => operation === 'Apply')
    assert.equal(own?.manager, 'kubectl')
    assert.match(JSON.stringify(own?.fieldsV1), /"f:spec":\{"f:replicas":\{\}/)
  })

  it('does not take what another owns, unless forced', async () => {
    await admin('scale deployment owned --replicas=2')
    assert.match(
      await apply(deployment('owned', 1), '--server-side'),
      /^error: Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps\/v1: \.spec\.replicas\nPlease review the fields above/,
    )
    assert.match(
      await apply(deployment('owned', 1, '          args: ["x"]'), '--server-side --field-manager=other'),
      /Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps\/v1: \.spec\.replicas/,
    )
    assert.equal(await apply(deployment('owned', 1), '--server-side --force-conflicts'), 'deployment.apps/owned serverside-applied\n')
    assert.match(
      await apply(deployment('owned', 3), '--server-side --field-manager=other'),
      /Apply failed with 1 conflict: conflict with "kubectl": \.spec\.replicas/,
    )
  })

  it('shares what is equal, and gives it up with what it leaves out', async () => {
    const owned = (data: string) => configMap('both', data)
    await apply(owned('{ a: "1", b: "2" }'), '--server-side --field-manager=one')
    await apply(owned('{ a: "1" }'), '--server-side --field-manager=two')
    await apply(owned('{}'), '--server-side --field-manager=one')
    assert.equal(await admin("get configmap both -o 'jsonpath={.data}'"), '{"a":"1"}')
  })

  it('goes on from what was applied from the client', async () => {
    await apply(configMap('moved', '{ a: "1", b: "2" }'))
    assert.equal(await apply(configMap('moved', '{ a: "1" }'), '--server-side'), 'configmap/moved serverside-applied\n')
    assert.equal(await admin("get configmap moved -o 'jsonpath={.data}'"), '{"a":"1"}')
  })

  it('refuses what its type does not have', async () => {
    assert.equal(
      await apply(deployment('owned', 1).replace('  replicas: 1', '  foo: 1'), '--server-side --validate=false'),
      'Error from server: failed to create typed patch object (team/owned; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema\n',
    )
    assert.match(
      await apply(deployment('owned', 1).replace('replicas: 1', 'replicas: many'), '--server-side --validate=false'),
      /failed to create typed patch object \(team\/owned; apps\/v1, Kind=Deployment\): \.spec\.replicas: expected numeric \(int or float\), got string/,
    )
  })
})

describe('bad manifests', () => {
  const dnsSubdomain =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
  const pod = (spec: string) => `{ apiVersion: v1, kind: Pod, metadata: { name: bad }, spec: ${spec} }`
  const cases: [what: string, manifest: string, answer: string | RegExp, words?: string][] = [
    [
      'YAML that is none',
      'apiVersion: v1\nkind: ConfigMap\n metadata: { name: b }\n',
      /error parsing STDIN: error converting YAML to JSON: yaml: line \d: mapping values are not allowed in this context/,
    ],
    ['no kind', 'apiVersion: v1\nmetadata: { name: bad }\n', /error validating data: kind not set/],
    [
      'a kind that is none',
      'apiVersion: v1\nkind: Podd\nmetadata: { name: bad }\n',
      'error: resource mapping not found for name: "bad" namespace: "" from "STDIN": no matches for kind "Podd" in version "v1"\nensure CRDs are installed first\n',
    ],
    [
      'a version that is none',
      'apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: { name: bad }\n',
      /no matches for kind "Deployment" in version "extensions\/v1beta1"\nensure CRDs are installed first/,
    ],
    [
      'an unknown field',
      configMap('bad', '{}', ', foo: bar').replace('\ndata', '\ndat'),
      'Error from server (BadRequest): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dat", unknown field "metadata.foo"\n',
    ],
    [
      'an unknown field, with a warning',
      configMap('warned', '{}').replace('\ndata', '\ndat'),
      'configmap/warned created\nWarning: unknown field "dat"\n',
      '--validate=warn',
    ],
    ['an unknown field, ignored', configMap('ignored', '{}').replace('\ndata', '\ndat'), 'configmap/ignored created\n', '--validate=ignore'],
    [
      'an unknown field in a list',
      `{ apiVersion: v1, kind: List, items: [{ apiVersion: v1, kind: ConfigMap, metadata: { name: bad }, foo: bar }] }`,
      /ValidationError\(ConfigMap\): unknown field "foo" in io\.k8s\.api\.core\.v1\.ConfigMap/,
    ],
    [
      'a number for a text',
      configMap('bad', '{ a: 1 }'),
      'Error from server (BadRequest): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string\n',
    ],
    [
      'a text for a number',
      deployment('bad', 1).replace('replicas: 1', 'replicas: two'),
      /Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec\.spec\.replicas of type int32/,
    ],
    [
      'base64 that is none',
      `{ apiVersion: v1, kind: Secret, metadata: { name: bad }, data: { x: 'not base64!' } }`,
      /Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 3/,
    ],
    ['a bad name', configMap('Bad_Name', '{}'), `The ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": ${dnsSubdomain}\n`],
    ['no name', configMap("''", '{}'), /resource name may not be empty/],
    [
      'a key that is none',
      configMap('bad', '{ "a/b": x }'),
      /data\[a\/b\]: Invalid value: "a\/b": a valid config key must consist of alphanumeric characters, '-', '_' or '\.'/,
    ],
    [
      'a namespace that is missing',
      configMap('bad', '{}', ', namespace: nowhere'),
      'Error from server (NotFound): error when creating "STDIN": namespaces "nowhere" not found\n',
    ],
    [
      'another namespace',
      configMap('bad', '{}', ', namespace: default'),
      /the namespace from the provided object "default" does not match the namespace "team"/,
      '-n team',
    ],
    ['a pod without containers', pod('{}'), 'The Pod "bad" is invalid: spec.containers: Required value\n'],
    [
      'containers that lack what they need',
      pod("{ containers: [{ image: x }, { name: c, image: ' z' }, { name: c, image: z, ports: [{ containerPort: 70000 }] }], restartPolicy: Sometimes }"),
      /spec\.containers\[0\]\.name: Required value[\s\S]*spec\.containers\[2\]\.name: Duplicate value: "c"[\s\S]*containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive[\s\S]*spec\.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"[\s\S]*spec\.containers\[1\]\.image: Invalid value: " z": must not have leading or trailing whitespace/,
    ],
    [
      'an amount that is none',
      pod('{ containers: [{ name: c, image: x, resources: { requests: { memory: 1Xi } } }] }'),
      /cannot be handled as a Pod: quantities must match the regular expression/,
    ],
    [
      'a request beyond its limit',
      pod('{ containers: [{ name: c, image: x, resources: { requests: { cpu: 2 }, limits: { cpu: 1 } } }] }'),
      /spec\.containers\[0\]\.resources\.requests: Invalid value: "2": must be less than or equal to cpu limit of 1/,
    ],
    [
      'a mount without volume',
      pod('{ containers: [{ name: c, image: x, volumeMounts: [{ name: v, mountPath: /x }] }] }'),
      /spec\.containers\[0\]\.volumeMounts\[0\]\.name: Not found: "v"/,
    ],
    [
      'a selector that misses its template',
      deployment('bad', 1).replace('labels: { app: bad } }\n    spec', 'labels: { app: other } }\n    spec'),
      /spec\.template\.metadata\.labels: Invalid value: \{"app":"other"\}: `selector` does not match template `labels`/,
    ],
    [
      'a service with bad ports',
      '{ apiVersion: v1, kind: Service, metadata: { name: bad }, spec: { ports: [{ port: 0 }, { port: 80 }], type: Foo } }',
      /spec\.ports\[0\]\.name: Required value[\s\S]*spec\.ports\[0\]\.port: Invalid value: 0: must be between 1 and 65535, inclusive[\s\S]*spec\.type: Unsupported value: "Foo"/,
    ],
    [
      'an ingress without path type',
      '{ apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: { name: bad }, spec: { rules: [{ http: { paths: [{ path: /x, backend: { service: { name: s, port: { number: 80 } } } }] } }] } }',
      /spec\.rules\[0\]\.http\.paths\[0\]\.pathType: Required value: pathType must be specified/,
    ],
    [
      'a claim with wrong modes',
      '{ apiVersion: v1, kind: PersistentVolumeClaim, metadata: { name: bad }, spec: { accessModes: [RWO], resources: { requests: { storage: -1Gi } } } }',
      /spec\.accessModes: Unsupported value: "RWO"[\s\S]*must be greater than zero/,
    ],
    [
      'a quota of nothing known',
      '{ apiVersion: v1, kind: ResourceQuota, metadata: { name: bad }, spec: { hard: { foo: 1 } } }',
      /spec\.hard\[foo\]: Invalid value: "foo": must be a standard resource for quota/,
    ],
    [
      'a service account that is missing',
      pod('{ serviceAccountName: nobody, containers: [{ name: c, image: x }] }'),
      /pods "bad" is forbidden: error looking up service account team\/nobody: serviceaccount "nobody" not found/,
    ],
  ]
  for (const [what, manifest, answer, words] of cases)
    it(`${what} is told`, async () => {
      const text = await apply(manifest, words)
      if (typeof answer === 'string') assert.equal(text, answer)
      else assert.match(text, answer)
    })

  it('no request is a fault of the server', async () => {
    const { readFileSync } = await import('node:fs')
    assert.doesNotMatch(readFileSync(join(cluster.dataDir, 'logs', 'skiff.log'), 'utf8'), /a fault of the server/)
  })
})
