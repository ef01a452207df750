/** Several clusters on one host, each over its own directory; and what a start says when something is missing. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { eventually, skiff, startTestCluster, testDirectory, upWords } from '../tools/cluster.ts'
import { hostState } from '../tools/host-state.ts'

const run = promisify(execFile)
const answerOf = async (port: number) => (await run('curl', ['-s', '-i', '-H', 'Host: web.example', `http://127.0.0.1:${port}/`])).stdout
const main = join(import.meta.dirname, '../../src/cli/main.ts')

describe('clusters side by side', () => {
  it('know nothing of each other, and leave the rest of a kubeconfig as it was', async () => {
    const host = hostState()
    // The second's directory is named as people and their scripts name directories.
    const [one, two] = await Promise.all([startTestCluster(), startTestCluster({ directoryPrefix: `skiff-cluster müller's #1 "b,c" ` })])
    try {
      await one.kubectl('create configmap mine --from-literal=of=one')
      await two.kubectl('create configmap mine --from-literal=of=two')
      assert.equal(await one.kubectl('get configmap mine -o jsonpath={.data.of}'), 'one')
      assert.equal(await two.kubectl('get configmap mine -o jsonpath={.data.of}'), 'two')
      for (const { kubectl } of [one, two]) await kubectl('create deployment web --image=busybox:1.35 --replicas=2 -- sleep 1000')
      for (const { kubectl } of [one, two])
        await eventually('the pods run', async () => (await kubectl('get deployment web -o jsonpath={.status.readyReplicas}')) === '2')
      await two.kubectl('create ingress web --rule=web.example/*=none:80')
      await eventually('its Ingress answers', async () => (await answerOf(two.running()?.httpPort ?? 0)).includes('503'))
      const merged = join(one.dataDir, 'kubeconfig')
      await two.remove()
      assert.equal((await one.kubectl('get pods -o name')).trim().split('\n').length, 2, 'one goes on when the other ends')
      const config = parse(readFileSync(merged, 'utf8')) as { contexts: unknown[]; 'current-context': string }
      assert.equal(config.contexts.length, 1)
    } finally {
      await one.remove()
      await two.remove().catch(() => {})
    }
    assert.deepEqual(hostState(), host)
  })
})

describe('a start that cannot be', () => {
  const sentence = (says: RegExp) => (error: { stderr: string }) => {
    assert.match(error.stderr, says)
    assert.equal(error.stderr.trim().split('\n').length, 1, error.stderr)
    return true
  }

  it('says which packages are missing', async () => {
    const environment = { ...process.env, PATH: '/nowhere' }
    const start = run(process.execPath, [main, ...upWords('/nowhere/x')], { env: environment })
    await assert.rejects(start, sentence(/skiff: unshare, tini, crun, conmon.* are missing: on Debian or Ubuntu 'apt-get install .*crun conmon/))
  })

  it('says that it needs root', async () => {
    // As somebody else, in a user namespace where the files of this checkout can still be read.
    const start = run('unshare', ['--user', '--map-user=1000', process.execPath, main, ...upWords('/nowhere/x')])
    await assert.rejects(start, sentence(/skiff: namespaces and containers need root: run the same command with 'sudo'/))
  })

  it('says that another is under way over the same directory', async () => {
    const directory = testDirectory()
    try {
      const starts = await Promise.allSettled([run(skiff, upWords(directory)), run(skiff, upWords(directory))])
      const refused = starts.find((start) => start.status === 'rejected')
      assert.equal(starts.filter((start) => start.status === 'fulfilled').length, 1, 'one of them started it')
      assert.match(String(refused?.reason.stderr), /^skiff: a cluster is (being started|already running) over .*\n$/)
      const { stdout } = await run(skiff, ['down', '--data-dir', directory, '--purge'])
      assert.match(stdout, /^stopped\n/, 'the one that was started is the one that is known')
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })

  it('says that the data directory is of a newer version', async () => {
    const directory = testDirectory()
    writeFileSync(join(directory, 'layout'), '99')
    await assert.rejects(run(skiff, upWords(directory)), sentence(/skiff: the data directory .* was made by a newer Skiff \(layout 99\)/))
    rmSync(directory, { recursive: true })
  })

  it('says that the data directory cannot be used', async () => {
    await assert.rejects(run(skiff, upWords('/tmp/skiff-$x')), sentence(/skiff: the data directory \/tmp\/skiff-\$x has a \$ in its name/))
    await assert.rejects(
      run(skiff, upWords('/proc/nowhere')),
      sentence(/skiff: the data directory \/proc\/nowhere cannot be used \(.*\): choose another with --data-dir/),
    )
  })
})
