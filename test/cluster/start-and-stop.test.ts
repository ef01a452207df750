/** Starting and stopping that come in each other's way, and what `skiff down` leaves: pods that could end, the user's own context. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { removeCgroups } from '../../src/cluster/cgroup-parent.ts'
import { serverProcess } from '../../src/cluster/stop.ts'
import { eventually, skiff, startTestCluster, type TestCluster, upWords } from '../tools/cluster.ts'
import { cgroupsOf, processesOf } from '../tools/host-state.ts'
import { podOf } from '../tools/pod-manifest.ts'

const run = promisify(execFile)

describe('a cluster that is started and stopped', { timeout: 120_000 }, () => {
  let cluster: TestCluster
  let kubeconfig: string
  before(async () => {
    cluster = await startTestCluster()
    kubeconfig = join(cluster.dataDir, 'kubeconfig')
  })
  after(() => cluster?.remove())

  const up = () => run(skiff, upWords(cluster.dataDir))
  /** What it says is written to a disk that is full. */
  const upUnheard = () => run('sh', ['-c', '"$0" "$@" >/dev/full', skiff, ...upWords(cluster.dataDir)])
  const down = async () => {
    const begun = performance.now()
    const { stdout, stderr } = await run(skiff, ['down', '--data-dir', cluster.dataDir])
    return { stdout, stderr, seconds: (performance.now() - begun) / 1000 }
  }
  const id = () => cluster.running()?.id ?? ''
  const known = () => existsSync(join(cluster.dataDir, 'cluster.json'))
  const currentContext = () => (parse(readFileSync(kubeconfig, 'utf8')) as { 'current-context': string })['current-context']
  const contexts = ['work', 'other'].map((name) => `{ name: ${name}, context: { cluster: work, user: '' } }`)
  const ofTheUser = `apiVersion: v1\nkind: Config\nclusters: [{ name: work, cluster: { server: 'https://work.example' } }]\ncontexts: [${contexts}]\ncurrent-context: work\n`
  /** Starts, and leaves it to the caller. */
  const starting = (): { child: ChildProcess; ended: Promise<{ code: number | null; said: string }> } => {
    const child = spawn(skiff, upWords(cluster.dataDir))
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text))
    return { child, ended: new Promise((resolve) => child.once('close', (code) => resolve({ code, said }))) }
  }
  const isBeingStopped = () => eventually('it is being stopped', async () => readFileSync(join(cluster.dataDir, 'launching'), 'utf8').includes('stopping'))
  const removeDirectory = () => {
    // It leaves off, and says nothing, when a file goes by itself meanwhile: the cluster writes there.
    for (let tries = 0; existsSync(cluster.dataDir) && tries < 100; tries++) rmSync(cluster.dataDir, { recursive: true, force: true, maxRetries: 5 })
  }
  const nothingIsLeft = () => {
    assert.deepEqual(processesOf(cluster.dataDir), [])
    assert.equal(cluster.running(), undefined)
  }

  it('lets containers end by themselves, and counts none of them as done', async () => {
    const words = `trap 'echo ended >> /data/ended; exit 0' TERM; echo begun >> /data/begun; while true; do sleep 0.1; done`
    const pod = podOf('writer', words, {
      container: 'volumeMounts: [{ name: data, mountPath: /data }]',
      spec: `restartPolicy: OnFailure\nvolumes: [{ name: data, hostPath: { path: ${cluster.dataDir}/said, type: DirectoryOrCreate } }]`,
    })
    await cluster.kubectl('apply -f -', { stdin: pod + podOf('deaf', 'exec sleep 1000') })
    await cluster.kubectl('wait --for=condition=Ready pod --all --timeout=20s', { timeoutMs: 25_000 })
    const written = (file: string) => readFileSync(join(cluster.dataDir, 'said', file), 'utf8')
    await eventually('it has begun', async () => written('begun') === 'begun\n')
    const parent = id()
    await down()
    assert.equal(written('ended'), 'ended\n')
    assert.deepEqual(cgroupsOf(parent), [])
    writeFileSync(kubeconfig, ofTheUser)
    await upUnheard()
    assert.match(currentContext(), /^skiff-/)
    await eventually('it runs again', async () => written('begun') === 'begun\nbegun\n')
    assert.equal(await cluster.kubectl('get pod writer -o jsonpath={.status.phase}'), 'Running')
    await cluster.kubectl('delete pod writer deaf --now')
  })

  it('is meant by its directory', async () => {
    assert.equal((await cluster.skiff('kubectl', '--data-dir', cluster.dataDir, 'get', 'nodes', '-o', 'name')).stdout, 'node/node-1\n')
    assert.equal((await cluster.skiff('kubectl', `--data-dir=${cluster.dataDir}`, 'get', 'nodes', '-o', 'name')).stdout, 'node/node-1\n')
    await assert.rejects(run(skiff, ['kubectl', '--data-dir', '/nowhere/x', 'get', 'nodes']), /no cluster is running over \/nowhere\/x: 'skiff up' starts one/)
  })

  it('says so when it is being stopped while somebody starts it; the context that was the current one before is it again', async () => {
    const slow = podOf('slow', `trap 'sleep 1; exit 0' TERM; touch /ready; while true; do sleep 0.1; done`, {
      container: 'readinessProbe: { exec: { command: [test, -f, /ready] }, periodSeconds: 1 }',
    })
    await cluster.kubectl('apply -f -', { stdin: slow })
    await cluster.kubectl('wait --for=condition=Ready pod/slow --timeout=20s', { timeoutMs: 25_000 })
    const stopping = down()
    await isBeingStopped()
    await assert.rejects(up(), /skiff: the cluster over .* is being stopped \(process \d+\): start it when that is done\n$/)
    assert.match((await stopping).stdout, /^stopped\n/)
    nothingIsLeft()
    assert.equal(currentContext(), 'work')
  })

  it('is stopped while it starts', async () => {
    const start = starting()
    // Held where it is, so that it cannot be ready before it is to be stopped.
    const server = await eventually('it is on its way', async () => known() && serverProcess(cluster.running()?.pid ?? 0))
    process.kill(server, 'SIGSTOP')
    const config = readFileSync(kubeconfig)
    writeFileSync(kubeconfig, 'clusters: [x')
    const stopping = down()
    await isBeingStopped()
    process.kill(server, 'SIGCONT')
    const { stdout, stderr, seconds } = await stopping
    writeFileSync(kubeconfig, config)
    assert.match(stdout, /^stopped\n/)
    assert.match(
      stderr,
      /^skiff: the context 'skiff-.*' stays in \S+kubeconfig: .* is not a kubeconfig \(.*\): mend it, or choose another with --kubeconfig\n$/,
    )
    assert.ok(seconds < 20, `${seconds} s`)
    const { code, said } = await start.ended
    assert.equal(code, 1)
    assert.match(said, /skiff: the cluster was stopped while it started\n$/)
    nothingIsLeft()
  })

  it('is not left half started when the start is interrupted', async () => {
    const { child, ended } = starting()
    await eventually('it is on its way', async () => cluster.running() !== undefined)
    child.kill('SIGINT')
    const { code, said } = await ended
    assert.equal(code, 1)
    assert.match(said, /skiff: interrupted: what was started so far is stopped again\n$/)
    await eventually('nothing is left', async () => processesOf(cluster.dataDir).length === 0)
  })

  it('is stopped in time when its server cannot start any more; the context that was chosen meanwhile stays', async () => {
    await up()
    assert.match(currentContext(), /^skiff-/)
    await cluster.kubectl('config use-context other')
    const first = cluster.running()?.pid ?? 0
    const server = serverProcess(first) ?? 0
    for (const file of ['state.db', 'state.db-wal', 'state.db-shm']) writeFileSync(join(cluster.dataDir, file), 'no database')
    process.kill(server, 'SIGKILL')
    await eventually('it has tried again', async () => /the server did not start/.test(readFileSync(join(cluster.dataDir, 'logs', 'skiff.log'), 'utf8')))
    const { seconds } = await down()
    assert.ok(seconds < 20, `${seconds} s`)
    nothingIsLeft()
    assert.equal(currentContext(), 'other')
    for (const file of ['state.db', 'state.db-wal', 'state.db-shm']) rmSync(join(cluster.dataDir, file), { force: true })
  })

  it('ends by itself when its directory is removed: nothing would lead to it any more', async () => {
    await up()
    const parent = id()
    removeDirectory()
    // Its own processes may do so too, when they write below it.
    mkdirSync(cluster.dataDir, { recursive: true })
    await eventually('nothing is left', async () => processesOf(cluster.dataDir).length === 0)
    await eventually('nor empty cgroups, once they are removed', async () => removeCgroups(parent).length === 0)
  })

  it('ends too when its server dies in the same moment', async () => {
    await up()
    const [first = 0, parent] = [cluster.running()?.pid, id()]
    const server = serverProcess(first) ?? 0
    removeDirectory()
    process.kill(server, 'SIGKILL')
    await eventually('nothing is left', async () => processesOf(cluster.dataDir).length === 0)
    await eventually('nor empty cgroups, once they are removed', async () => removeCgroups(parent).length === 0)
  })
})
