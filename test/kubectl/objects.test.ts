/** Objects by kubectl: made by each of its generators, shown in each form, changed in each way. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import { type Kubectl, kubectl } from '../tools/kubectl.ts'

let cluster: TestCluster
let admin: Kubectl
let directory: string
before(async () => {
  cluster = await startTestCluster()
  admin = cluster.kubectl
  directory = cluster.dataDir
  await admin('create namespace team')
  await admin('config set-context --current --namespace=team')
})
after(() => cluster?.remove())

describe('kubectl create', () => {
  it('makes what its generators make', async () => {
    const key = join(directory, 'key.pem')
    const certificate = join(directory, 'certificate.pem')
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', certificate, '-subj', '/CN=x'],
      {
        stdio: 'ignore',
      },
    )
    const made: [words: string, answer: string][] = [
      ['configmap settings --from-literal=a=b', 'configmap/settings created'],
      ['secret generic password --from-literal=p=q', 'secret/password created'],
      ['secret docker-registry pull --docker-server=x --docker-username=u --docker-password=p', 'secret/pull created'],
      [`secret tls page --cert=${certificate} --key=${key}`, 'secret/page created'],
      ['serviceaccount robot', 'serviceaccount/robot created'],
      ['role reader --verb=get,list --resource=pods', 'role.rbac.authorization.k8s.io/reader created'],
      ['rolebinding robot-reads --role=reader --serviceaccount=team:robot', 'rolebinding.rbac.authorization.k8s.io/robot-reads created'],
      ['clusterrole node-reader --verb=get --resource=nodes', 'clusterrole.rbac.authorization.k8s.io/node-reader created'],
      ['clusterrolebinding bob --clusterrole=node-reader --user=bob', 'clusterrolebinding.rbac.authorization.k8s.io/bob created'],
      ['deployment web --image=busybox:1.35 --replicas=2 -- sleep 1000', 'deployment.apps/web created'],
      ['service clusterip inside --tcp=80:8080', 'service/inside created'],
      ['service nodeport outside --tcp=80:8080', 'service/outside created'],
      ['service externalname elsewhere --external-name=example.com', 'service/elsewhere created'],
      ['service loadbalancer balanced --tcp=80:8080', 'service/balanced created'],
      ['ingress page --rule=app.example.com/*=inside:80', 'ingress.networking.k8s.io/page created'],
      ['job once --image=busybox:1.35 -- echo hi', 'job.batch/once created'],
      ["cronjob nightly --image=busybox:1.35 '--schedule=0 3 * * *' -- echo hi", 'cronjob.batch/nightly created'],
      ['job by-hand --from=cronjob/nightly', 'job.batch/by-hand created'],
      ['quota few --hard=pods=50', 'resourcequota/few created'],
      ['poddisruptionbudget web --selector=app=web --min-available=1', 'poddisruptionbudget.policy/web created'],
      ['priorityclass important --value=100', 'priorityclass.scheduling.k8s.io/important created'],
    ]
    for (const [words, answer] of made) assert.equal(await admin(`create ${words}`), `${answer}\n`)
    assert.match(await admin('create token robot'), /^ey[\w-]+\.[\w-]+\.[\w-]+$/)
  })

  it('changes nothing in a dry run', async () => {
    assert.match(await admin('create configmap tried --dry-run=server -o yaml'), /uid: /)
    assert.match(await admin('create configmap tried --dry-run=client -o yaml'), /name: tried/)
    assert.match(await admin.says('get configmap tried'), /Error from server \(NotFound\): configmaps "tried" not found/)
  })
})

describe('kubectl get', () => {
  it('prints the columns of each kind', async () => {
    await admin('rollout status deployment/web')
    await admin('wait --for=condition=Complete job/once job/by-hand')
    const lines: [words: string, line: RegExp][] = [
      ['deployment', /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 +2 +2 +\d+s$/m],
      ['deployment -o wide', /CONTAINERS +IMAGES +SELECTOR\nweb .* busybox +busybox:1\.35 +app=web$/m],
      ['rs', /^NAME +DESIRED +CURRENT +READY +AGE\nweb-\w+ +2 +2 +2 +\d+s$/m],
      ['pods -l app=web', /^NAME +READY +STATUS +RESTARTS +AGE\nweb-\w+-\w+ +1\/1 +Running +0 +\d+s$/m],
      ['pods -l app=web -o wide', /IP +NODE +NOMINATED NODE +READINESS GATES\nweb.* 10\.244\.0\.\d+ +node-1 +<none> +<none>$/m],
      ['job once', /^NAME +STATUS +COMPLETIONS +DURATION +AGE\nonce +Complete +1\/1 +\d+s +\d+s$/m],
      ['cronjob', /^NAME +SCHEDULE +TIMEZONE +SUSPEND +ACTIVE +LAST SCHEDULE +AGE\nnightly +0 3 \* \* \* +<none> +False +0 +<none> +\d+s$/m],
      ['service inside', /^inside +ClusterIP +10\.\d+\.\d+\.\d+ +<none> +80\/TCP +\d+s$/m],
      ['service outside', /^outside +NodePort +10\.\d+\.\d+\.\d+ +<none> +80:3\d{4}\/TCP +\d+s$/m],
      ['service elsewhere', /^elsewhere +ExternalName +<none> +example\.com +<none> +\d+s$/m],
      ['service balanced', /^balanced +LoadBalancer +10\.\d+\.\d+\.\d+ +<pending> +80:3\d{4}\/TCP +\d+s$/m],
      ['configmap settings', /^NAME +DATA +AGE\nsettings +1 +\d+s$/m],
      ['secret pull', /^NAME +TYPE +DATA +AGE\npull +kubernetes.io\/dockerconfigjson +1 +\d+s$/m],
      ['serviceaccount robot', /^robot +0 +\d+s$/m],
      ['role', /^NAME +CREATED AT\nreader +\d{4}-/m],
      ['rolebinding -o wide', /^robot-reads +Role\/reader +\d+s +team\/robot$/m],
      ['poddisruptionbudget', /^NAME +MIN AVAILABLE +MAX UNAVAILABLE +ALLOWED DISRUPTIONS +AGE\nweb +1 +N\/A +1 +\d+s$/m],
      ['ingress', /^NAME +CLASS +HOSTS +ADDRESS +PORTS +AGE\npage +nginx +app\.example\.com +127\.0\.0\.1 +80 +\d+s$/m],
      ['priorityclass important', /^important +100 +false +\d+s +PreemptLowerPriority$/m],
      ['namespace team', /^team +Active +\d+s$/m],
      ['nodes', /^NAME +STATUS +ROLES +AGE +VERSION\nnode-1 +Ready +<none> +\d+s +v1\.36/m],
      ['storageclass', /^standard \(default\) +\S+ +Delete +WaitForFirstConsumer +false +\d+s$/m],
      ['ingressclass', /^nginx +k8s\.io\/ingress-nginx +<none> +\d+s$/m],
      ['componentstatuses', /^scheduler +Healthy +ok/m],
      ['deployment web --subresource=scale', /^NAME +DESIRED +AVAILABLE +AGE\nweb +2 +2 +\d+s$/m],
      ['events', /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n\d+s +Normal +\w+/m],
    ]
    for (const [words, line] of lines) assert.match(await admin(`get ${words}`), line)
  })

  it('selects, sorts and prints as it is told', async () => {
    assert.match(await admin('get deployment web -o name'), /^deployment\.apps\/web\n$/)
    assert.equal(await admin("get deployment web -o 'jsonpath={.spec.replicas} {.metadata.labels.app}'"), '2 web')
    assert.equal(await admin("get deployment web -o 'go-template={{.spec.replicas}}'"), '2')
    assert.match(await admin('get pods -l app=web -o custom-columns=IMAGE:.spec.containers[0].image'), /^IMAGE\nbusybox:1\.35\nbusybox:1\.35\n$/)
    assert.match(await admin('get pods --field-selector status.phase=Running -o name'), /^(pod\/web-\S+\n){2}$/)
    assert.match(await admin("get pods --field-selector 'status.phase!=Running' -o name"), /pod\/by-hand-\S+\npod\/once-\S+\n/)
    assert.match(await admin("get pods -l 'app in (web,x),!other' --show-labels"), /app=web,pod-template-hash=/)
    assert.match(await admin('get pods -L app -l app=web'), /APP\nweb-.* web$/m)
    const sorted = await admin('get configmap,secret --sort-by=.metadata.name -o name')
    assert.match(sorted, /configmap\/kube-root-ca.crt\nsecret\/page\nsecret\/password\nsecret\/pull\nconfigmap\/settings\n/)
    assert.equal((await admin('get pods --chunk-size=1 -o name')).trim().split('\n').length, 4)
    assert.match(
      await admin('get all -o name'),
      /pod\/[\s\S]*service\/[\s\S]*deployment\.apps\/web[\s\S]*replicaset\.apps\/[\s\S]*cronjob\.batch\/nightly[\s\S]*job\.batch\/once/,
    )
    assert.match(await admin('get deployments.v1.apps web -o yaml'), /managedFields|replicas: 2/)
    assert.match(await admin('get pods -A -o wide'), /^NAMESPACE/)
  })

  it('watches', async () => {
    const watch = admin.start(['get', 'configmaps', '-w', '--output-watch-events', '-o', 'name'])
    let seen = ''
    watch.stdout.on('data', (text) => {
      seen += text
    })
    try {
      await eventually('the watch shows what is there', async () => /configmap\/settings/.test(seen))
      await admin('create configmap watched')
      await admin('label configmap watched a=b')
      await admin('delete configmap watched')
      await eventually('the watch shows what happens', async () => (seen.match(/configmap\/watched/g)?.length ?? 0) >= 3)
    } finally {
      watch.kill()
    }
  })

  it('says what is not there', async () => {
    const answers: [words: string, answer: string | RegExp][] = [
      ['get pods nope', 'Error from server (NotFound): pods "nope" not found\n'],
      ['get nope', 'error: the server doesn\'t have a resource type "nope"\n'],
      ['get pods -n nowhere', 'No resources found in nowhere namespace.\n'],
      [
        'get pods --field-selector foo=bar',
        'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector "", field selector "foo=bar": field label not supported: foo\n',
      ],
      [
        'get pods -l a===',
        'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector "a===", field selector "": unable to parse requirement: found \'=\', expected: identifier\n',
      ],
    ]
    for (const [words, answer] of answers) assert.equal(await admin.says(words), answer)
  })
})

describe('kubectl describe', () => {
  it('tells of each kind', async () => {
    const told: [words: string, ...lines: RegExp[]][] = [
      ['namespace team', /^Status: +Active$/m, /Resource Quotas\n {2}Name: +few/],
      [
        'deployment web',
        /^Replicas: +2 desired \| 2 updated \| 2 total \| 2 available \| 0 unavailable$/m,
        /Available +True +MinimumReplicasAvailable/,
        /ScalingReplicaSet .*Scaled up replica set web-\w+ from 0 to 2/,
      ],
      ['replicaset', /^Controlled By: +Deployment\/web$/m, /^Pods Status: +2 Running \/ 0 Waiting \/ 0 Succeeded \/ 0 Failed$/m],
      [
        // Of several objects kubectl 1.36 shows no events unless it is asked to.
        'pod -l app=web --show-events',
        /^Node: +node-1\/10\.89\.0\.1$/m,
        /State: +Running/,
        /PodScheduled +True/,
        /Successfully assigned team\/web-\S+ to node-1/,
        /Container image "busybox:1\.35" already present on machine/,
      ],
      ['service outside', /^Type: +NodePort$/m, /^NodePort: +80-8080 +3\d{4}\/TCP$/m],
      ['ingress page', /^Ingress Class: +nginx$/m, /app\.example\.com/, /\/ +inside:80/],
      ['configmap settings', /^a:\n----\nb\n/m],
      ['secret password', /^p: +1 bytes$/m],
      ['job once', /^Pods Statuses: +0 Active \(0 Ready\) \/ 1 Succeeded \/ 0 Failed$/m, /SuccessfulCreate +\S+ +job-controller +Created pod: once-/],
      ['role reader', /pods +\[\] +\[\] +\[get list\]/],
      [
        'node node-1',
        /^Unschedulable: +false$/m,
        /HolderIdentity: +node-1/,
        /Ready +True .*KubeletReady +kubelet is posting ready status/,
        /^PodCIDR: +10\.244\.0\.0\/24$/m,
        /team +web-/,
      ],
      ['storageclass', /^IsDefaultClass: +Yes$/m],
      ['serviceaccount robot', /^Name: +robot$/m],
      ['poddisruptionbudget web', /Allowed disruptions: +1/],
      ['priorityclass important', /^Value: +100$/m],
    ]
    for (const [words, ...lines] of told) {
      const text = await admin(`describe ${words}`)
      for (const line of lines) assert.match(text, line)
    }
  })
})

describe('kubectl label, annotate, patch, replace, edit', () => {
  it('labels and annotates', async () => {
    assert.equal(await admin('label configmap settings tier=front'), 'configmap/settings labeled\n')
    assert.match(await admin.says('label configmap settings tier=back'), /'tier' already has a value \(front\), and --overwrite is false/)
    assert.equal(await admin('label configmap settings tier=back --overwrite'), 'configmap/settings labeled\n')
    assert.equal(await admin('label configmap settings tier-'), 'configmap/settings unlabeled\n')
    assert.equal(await admin('annotate configmap settings why=because'), 'configmap/settings annotated\n')
    assert.match(await admin.says("label configmap settings 'bad key=x'"), /metadata\.labels: Invalid value: "bad key": name part must consist of alphanumeric/)
  })

  it('patches in three ways', async () => {
    const patch = (target: string, type: string, body: unknown) => admin.says(`patch ${target} --type=${type} -p '${JSON.stringify(body)}'`)
    assert.equal(await patch('configmap settings', 'merge', { data: { a: null, x: 'y' } }), 'configmap/settings patched\n')
    assert.equal(await admin("get configmap settings -o 'jsonpath={.data}'"), '{"x":"y"}')
    const right = [
      { op: 'test', path: '/data/x', value: 'y' },
      { op: 'add', path: '/data/z', value: '1' },
    ]
    assert.equal(await patch('configmap settings', 'json', right), 'configmap/settings patched\n')
    assert.match(
      await patch('configmap settings', 'json', [{ op: 'test', path: '/data/x', value: 'no' }]),
      /The request is invalid: the server rejected our request due to an error in our request/,
    )
    const container = { name: 'busybox', env: [{ name: 'A', value: '1' }] }
    assert.equal(await patch('deployment web', 'strategic', { spec: { template: { spec: { containers: [container] } } } }), 'deployment.apps/web patched\n')
    assert.equal(
      await admin("get deployment web -o 'jsonpath={.spec.template.spec.containers[*].image} {.spec.template.spec.containers[0].env[0].name}'"),
      'busybox:1.35 A',
    )
    assert.equal(
      await patch('deployment web', 'strategic', { spec: { replicas: 'x' } }),
      'The request is invalid: patch: Invalid value: "map[spec:map[replicas:x]]": unrecognized type: int32\n',
    )
    assert.match(
      await patch('configmap settings', 'merge', { data: { a: 1 } }),
      /: json: cannot unmarshal number into Go struct field ConfigMap\.data of type string/,
    )
    assert.equal(
      await patch('configmap settings', 'json', { a: 1 }),
      'Error from server (BadRequest): json: cannot unmarshal object into Go value of type jsonpatch.Patch\n',
    )
    assert.match(
      await patch('deployment web', 'merge', { spec: { selector: { matchLabels: { a: 'b' } } } }),
      /spec\.selector: Invalid value: .*: field is immutable/,
    )
    assert.match(await patch('deployment web', 'strategic', { spec: { foo: 'x' } }), /Warning: unknown field "spec\.foo"/)
    assert.match(await patch('deployment nope', 'merge', {}), /deployments\.apps "nope" not found/)
    assert.equal(await patch('deployment web --subresource=scale', 'merge', { spec: { replicas: 1 } }), 'scale.autoscaling/web patched\n')
  })

  it('refuses to change a pod', async () => {
    const name = (await admin('get pods -l app=web -o name')).split('\n')[0]
    assert.match(
      await admin.says(`patch ${name} -p '{"spec":{"nodeName":"x"}}'`),
      /spec: Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`,`spec\.initContainers\[\*\]\.image`/,
    )
  })

  it('replaces, and not what is out of date', async () => {
    const old = await admin('get configmap settings -o yaml')
    const stdin = old.replace('x: "y"', 'x: other')
    assert.notEqual(stdin, old)
    assert.equal(await admin('replace -f -', { stdin }), 'configmap/settings replaced\n')
    assert.match(
      await admin.says('replace -f -', { stdin: old }),
      /Error from server \(Conflict\): .*Operation cannot be fulfilled on configmaps "settings": the object has been modified; please apply your changes to the latest version and try again/,
    )
    assert.match(await admin('replace --force -f -', { stdin: old }), /configmap "settings" deleted.*\nconfigmap\/settings replaced\n/)
  })

  it('opens an editor', async () => {
    const editor = join(directory, 'editor.sh')
    writeFileSync(editor, '#!/bin/sh\nsed -i "$EDIT" "$1"\n', { mode: 0o755 })
    const editing = async (edit: string) => kubectl(join(directory, 'kubeconfig'), { env: { EDITOR: editor, EDIT: edit } })
    assert.equal(await (await editing('s/x: "y"/x: edited/'))('edit configmap settings'), 'configmap/settings edited\n')
    assert.equal(await admin("get configmap settings -o 'jsonpath={.data.x}'"), 'edited')
    assert.equal(await (await editing('')).says('edit configmap settings'), 'Edit cancelled, no changes made.\n')
    assert.match(await (await editing('s/replicas: 1/replicas: -1/')).says('edit deployment web'), /error: deployments\.apps "web" is invalid/)
  })
})

describe('kubectl about the server', () => {
  it('lists what is served, and explains it', async () => {
    assert.match(
      await admin('api-resources --api-group=apps -o wide'),
      /^deployments +deploy +apps\/v1 +true +Deployment +create,delete,deletecollection,get,list,patch,update,watch +all$/m,
    )
    assert.match(await admin('api-resources'), /^events +ev +events\.k8s\.io\/v1 +true +Event$/m)
    assert.match(await admin('api-versions'), /^apps\/v1$/m)
    assert.match(await admin('explain pod.spec.containers'), /FIELD: containers <\[\]Container>[\s\S]*image\t<string>/)
    assert.match(await admin('explain deployment --recursive'), /GROUP: +apps\nKIND: +Deployment\nVERSION: +v1[\s\S]*strategy\t<DeploymentStrategy>/)
    assert.match(await admin('explain hpa --api-version=autoscaling/v1'), /KIND: +HorizontalPodAutoscaler/)
    assert.match(await admin.says('explain pod.spec.nope'), /error: field "nope" does not exist/)
    assert.match(await admin('version -o json'), /"gitVersion": "v1\.36/)
    assert.match(await admin('cluster-info'), /Kubernetes control plane.*is running at.*\n.*CoreDNS.*is running at/)
    assert.match(await admin('config view'), /certificate-authority-data: DATA\+OMITTED/)
    assert.match(await admin('config current-context'), /^skiff/)
  })

  it('says who one is and what one may', async () => {
    assert.match(await admin('auth whoami'), /Username +kubernetes-admin\nGroups +\[system:masters system:authenticated\]/)
    assert.equal(await admin('auth can-i create pods'), 'yes\n')
    assert.equal(await admin('auth can-i list pods --as=system:serviceaccount:team:robot'), 'yes\n')
    assert.equal(await admin.says('auth can-i delete pods --as=system:serviceaccount:team:robot'), 'no\n')
    assert.match(await admin('auth can-i --list --as=system:serviceaccount:team:robot'), /^pods +\[\] +\[\] +\[get list\]$/m)
  })

  it('gets a certificate signed, and refuses another', async () => {
    const key = join(directory, 'jane.key')
    const request = join(directory, 'jane.csr')
    execFileSync(
      'openssl',
      ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', request, '-subj', '/CN=jane/O=crew'],
      {
        stdio: 'ignore',
      },
    )
    const csr = (name: string) =>
      JSON.stringify({
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: { name },
        spec: { request: readFileSync(request, 'base64'), signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'] },
      })
    await admin('apply -f -', { stdin: csr('jane') })
    assert.match(await admin('get csr jane'), /^jane +\d+s +kubernetes\.io\/kube-apiserver-client +kubernetes-admin +<none> +Pending$/m)
    assert.equal(await admin('certificate approve jane'), 'certificatesigningrequest.certificates.k8s.io/jane approved\n')
    await eventually('it is signed', async () => /Approved,Issued/.test(await admin('get csr jane')))
    const certificate = join(directory, 'jane.pem')
    writeFileSync(certificate, Buffer.from(await admin("get csr jane -o 'jsonpath={.status.certificate}'"), 'base64'))
    await admin(`config set-credentials jane --client-certificate=${certificate} --client-key=${key}`)
    assert.match(await admin('auth whoami --user=jane'), /Username +jane\nGroups +\[crew system:authenticated\]/)
    await admin('apply -f -', { stdin: csr('not-jane') })
    assert.equal(await admin('certificate deny not-jane'), 'certificatesigningrequest.certificates.k8s.io/not-jane denied\n')
    assert.match(await admin('get csr not-jane'), /Denied$/m)
  })

  it('shows events', async () => {
    assert.match(await admin('events --for deployment/web'), /LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n.*ScalingReplicaSet +Deployment\/web/)
    assert.match(await admin('get events --field-selector reason=Scheduled'), /Successfully assigned team\//)
    assert.equal(await admin.says('events --types=Warning --for deployment/web'), 'No events found in team namespace.\n')
  })

  it('is reached through a proxy', async () => {
    const proxy = admin.start(['proxy', '--port=0'])
    try {
      const [text] = (await new Promise((resolve) => proxy.stdout.once('data', (data) => resolve([String(data)])))) as [string]
      const address = /127\.0\.0\.1:\d+/.exec(text)?.[0]
      const answer = await fetch(`http://${address}/api/v1/namespaces/team/configmaps/settings`)
      assert.equal(((await answer.json()) as { data: { x: string } }).data.x, 'edited')
    } finally {
      proxy.kill()
    }
  })
})
