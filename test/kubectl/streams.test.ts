/** What streams: logs, exec, attach, cp, port-forward, run, debug; over WebSocket and SPDY, by each kubectl that is supported. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { findKubectl, type KubectlVersion } from '../../src/cluster/kubectl.ts'
import { eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import { type Kubectl, kubectl } from '../tools/kubectl.ts'
import { onTerminal } from '../tools/terminal.ts'

const manifests = `
apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: page
      image: busybox:1.35
      command: [sh, -c, "mkdir /www; echo a page > /www/index.html; exec httpd -f -p 8080 -h /www"]
      ports: [{ name: http, containerPort: 8080 }]
      readinessProbe: { httpGet: { path: /, port: http }, periodSeconds: 1 }
    - name: echo
      image: busybox:1.35
      stdin: true
      command: [sh, -c, "while read line; do echo got $line; done; echo end of input"]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: http }] }
---
apiVersion: v1
kind: Pod
metadata: { name: talker, labels: { app: talker } }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - { name: one, image: "busybox:1.35", command: [sh, -c, "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.2; done"] }
    - { name: two, image: "busybox:1.35", command: [sh, -c, "echo two; echo complaint >&2; sleep 1000"] }
---
apiVersion: v1
kind: Pod
metadata: { name: again }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: main
      image: busybox:1.35
      command: [sh, -c, "if test -f /seen/once; then echo second; exec sleep 1000; fi; touch /seen/once; echo first; exit 1"]
      volumeMounts: [{ name: seen, mountPath: /seen }]
  volumes: [{ name: seen, emptyDir: {} }]
`

let cluster: TestCluster
let admin: Kubectl
before(async () => {
  cluster = await startTestCluster()
  admin = cluster.kubectl
  await admin('apply -f -', { stdin: manifests })
  await admin('wait --for=condition=Ready pod/web pod/talker --timeout=30s', { timeoutMs: 40_000 })
  await eventually('the container runs again', async () => (await admin("get pod again -o 'jsonpath={.status.containerStatuses[0].restartCount}'")) === '1')
})
after(() => cluster?.remove())

describe('kubectl logs', () => {
  it('shows what it is asked for', async () => {
    assert.match(await admin('logs talker -c one --tail=2'), /^line \d+\nline \d+\n$/)
    assert.equal(await admin('logs talker -c one --limit-bytes=10'), 'line 1\nlin')
    assert.match(await admin('logs talker -c one --since=1s'), /^(line \d+\n){3,8}$/)
    assert.match(await admin('logs talker -c one --tail=1 --timestamps'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line \d+\n$/)
    assert.match(await admin('logs talker --all-containers --tail=2 --prefix'), /^(\[pod\/talker\/(one\] line \d+|two\] two|two\] complaint)\n){4}$/)
    assert.match(await admin('logs -l app=talker -c two'), /^two\ncomplaint\n$/)
    assert.match(await admin.says('logs talker --tail=1'), /Defaulted container "one" out of: one, two/)
  })

  it('follows', async () => {
    const follow = admin.start(['logs', '-f', 'talker', '-c', 'one', '--tail=1'])
    let seen = ''
    follow.stdout.on('data', (text) => {
      seen += text
    })
    try {
      await eventually('lines come', async () => seen.split('\n').length > 4)
    } finally {
      follow.kill()
    }
    const numbers = seen.match(/\d+/g)?.map(Number) ?? []
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => (numbers[0] ?? 0) + index),
    )
  })

  it('shows the container before', async () => {
    assert.equal(await admin('logs again --previous'), 'first\n')
    assert.equal(await admin('logs again'), 'second\n')
    assert.equal(
      await admin.says('logs talker -c two --previous'),
      'Error from server (BadRequest): previous terminated container "two" in pod "talker" not found\n',
    )
  })

  it('says what is not there', async () => {
    assert.match(await admin.says('logs nope'), /\(NotFound\): pods "nope" not found/)
    assert.match(await admin.says('logs talker -c nope'), /container nope is not valid for pod talker/)
  })
})

const noWebSockets = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' }
const ways: [name: string, version: KubectlVersion, env: Record<string, string>][] = [
  ['1.36 over WebSocket', '1.36', {}],
  ['1.36 over SPDY', '1.36', noWebSockets],
  ['1.35 over WebSocket', '1.35', {}],
  ['1.34 over WebSocket', '1.34', {}],
  ['1.33 over WebSocket', '1.33', {}],
]
for (const [way, version, env] of ways)
  describe(`kubectl ${way}`, () => {
    let call: Kubectl
    const terminal = (words: string) =>
      onTerminal(`exec ${findKubectl(version)} ${words}`, { HOME: cluster.dataDir, KUBECONFIG: join(cluster.dataDir, 'kubeconfig'), ...env })
    before(async () => {
      call = await kubectl(join(cluster.dataDir, 'kubeconfig'), { version, env })
    })

    it('runs commands', async () => {
      const { code, stdout, stderr } = await call.run(['exec', 'web', '-c', 'page', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3'])
      assert.deepEqual({ code, stdout, stderr }, { code: 3, stdout: 'out\n', stderr: 'err\ncommand terminated with exit code 3\n' })
      assert.equal(await call('exec -i web -c page -- wc -c', { stdin: 'x'.repeat(300_000) }), '300000\n')
      assert.equal((await call('exec web -c page -- head -c 3000000 /dev/zero')).length, 3_000_000)
      assert.equal(await call('exec web -c page -- hostname'), 'web\n')
    })

    it('says what cannot run', async () => {
      const missing = await call.run(['exec', 'web', '-c', 'page', '--', 'nope'])
      assert.match(missing.stderr, /OCI runtime exec failed: exec failed: unable to start container process: exec: "nope": executable file not found in \$PATH/)
      assert.notEqual(missing.code, 0)
      assert.match(await call.says('exec web -c nope -- ls'), /container nope is not valid for pod web|container not found/)
      assert.match(await call.says('exec nope -- ls'), /\(NotFound\): pods "nope" not found/)
    })

    it('is a terminal', { timeout: 30_000 }, async () => {
      const shell = terminal('exec -it web -c page -- sh')
      try {
        await eventually('the prompt comes', async () => shell.shown().includes('#'))
        shell.type('tty; stty size; echo $((6*7))\n')
        await eventually('it answers', async () => /\/dev\/pts\/\d+\r\n40 100\r\n42\r\n/.test(shell.shown()))
        shell.type('echo begun; sleep 1000\n')
        await eventually('it runs', async () => shell.shown().includes('\r\nbegun\r\n'))
        shell.type('\x03')
        await eventually('it is interrupted', async () => /begun\r\n\^C[\s\S]*# /.test(shell.shown()))
        shell.type('exit 7\n')
        assert.equal(await shell.ended, 7, shell.shown())
      } finally {
        shell.close()
      }
    })

    it('attaches', async () => {
      const attached = call.start(['attach', '-i', 'web', '-c', 'echo'])
      let seen = ''
      attached.stdout.on('data', (text) => {
        seen += text
      })
      try {
        await eventually('the container answers', async () => {
          if (!attached.stdin.destroyed) attached.stdin.write('words\n')
          return seen.includes('got words\n')
        })
      } finally {
        attached.kill()
      }
    })

    it('copies both ways', async () => {
      const from = join(cluster.dataDir, `from-${version}-${Object.keys(env).length}`)
      mkdirSync(join(from, 'deep', 'er'), { recursive: true })
      writeFileSync(join(from, 'deep', 'er', 'file'), 'content\n')
      writeFileSync(join(from, 'large'), Buffer.alloc(2_000_000, 7))
      await call(`cp ${from} web:/tmp/copied -c page`)
      assert.equal(await call('exec web -c page -- cat /tmp/copied/deep/er/file'), 'content\n')
      await call(`cp web:/tmp/copied ${from}/back -c page`)
      assert.deepEqual(readFileSync(join(from, 'back', 'large')), readFileSync(join(from, 'large')))
      await call('exec web -c page -- rm -r /tmp/copied')
      // kubectl leaves at the end of the archive, often before it has shown what tar complained of: exec shows it.
      await call.says(`cp web:/nowhere ${from}/none -c page`)
      assert.equal(existsSync(join(from, 'none')), false)
      assert.match(await call.says('exec web -c page -- tar cf /dev/null /nowhere'), /No such file or directory/)
    })

    for (const [target, port] of [
      ['pod/web', 'http'],
      ['service/web', '80'],
    ])
      it(`forwards a port of a ${target?.split('/')[0]}`, async () => {
        const forward = call.start(['port-forward', String(target), `:${port}`])
        try {
          const [line] = (await once(forward.stdout, 'data')) as [Buffer]
          const [, local] = /127\.0\.0\.1:(\d+) -> 8080/.exec(String(line)) ?? []
          const pages = await Promise.all(Array.from({ length: 5 }, () => fetch(`http://127.0.0.1:${local}/`).then((answer) => answer.text())))
          assert.deepEqual(pages, Array(5).fill('a page\n'))
        } finally {
          forward.kill()
        }
      })

    it('runs a pod and takes it away', { timeout: 30_000 }, async () => {
      const name = `once-${version.replace('.', '-')}-${Object.keys(env).length}`
      assert.match(await call(`run ${name} --image=busybox:1.35 --restart=Never --rm -i -- echo hello`), /^hello\n[\s\S]*pod "\S+" deleted/)
      const shell = terminal(`run ${name}-tty --image=busybox:1.35 --restart=Never --rm -it -- sh -c 'read word; echo got $word; exit 4'`)
      try {
        await eventually('it is attached', async () => shell.shown().includes('command prompt'))
        shell.type('words\n')
        assert.equal(await shell.ended, 4, shell.shown())
        assert.match(shell.shown(), /got words\r\n/)
      } finally {
        shell.close()
      }
      assert.match(await call.says(`get pod ${name}`), /not found/)
    })
  })

describe('kubectl debug', () => {
  it('adds a container to a running pod', async () => {
    await admin('debug web --image=busybox:1.35 --profile=general --container=looker --target=page -- sleep 1000')
    const state = "get pod web -o 'jsonpath={.status.ephemeralContainerStatuses[0].state.running.startedAt}'"
    await eventually('it runs', async () => (await admin(state)) !== '')
    assert.match(await admin('exec web -c looker -- wget -qO- http://127.0.0.1:8080/'), /a page/)
    assert.match(await admin('exec web -c looker -- ps'), /httpd -f/)
    assert.match(await admin('describe pod web'), /Ephemeral Containers:\n {2}looker:/)
  })

  it('copies a pod to look into it', async () => {
    await admin('debug web --copy-to=copy --container=page --image=busybox:1.35 --profile=general -- sleep 1000')
    await admin('wait --for=condition=Ready pod/copy --timeout=20s')
    assert.match(await admin('exec copy -c page -- ps'), /sleep 1000/)
  })
})

describe('the API server as proxy', () => {
  it('reaches pods and services', async () => {
    assert.equal(await admin('get --raw /api/v1/namespaces/default/pods/web:8080/proxy/'), 'a page\n')
    assert.equal(await admin('get --raw /api/v1/namespaces/default/services/web:80/proxy/index.html'), 'a page\n')
    assert.match(await admin.says('get --raw /api/v1/namespaces/default/services/nope/proxy/'), /services "nope" not found/)
  })

  it('reaches the kubelet', async () => {
    assert.equal(await admin('get --raw /api/v1/nodes/node-1/proxy/healthz'), 'ok')
  })
})
