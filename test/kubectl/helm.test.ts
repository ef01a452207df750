/** The life of a helm release: installed, tested, upgraded, rolled back, broken, mended, uninstalled. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { findHelm } from '../../src/cluster/kubectl.ts'
import { eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'

const run = promisify(execFile)
const chart = join(import.meta.dirname, 'chart')

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster()
  await cluster.kubectl('create namespace team')
  await cluster.kubectl('config set-context --current --namespace=team')
})
after(() => cluster?.remove())

async function helm(...words: string[]): Promise<string> {
  const env = { PATH: process.env.PATH ?? '', HOME: cluster.dataDir, KUBECONFIG: join(cluster.dataDir, 'kubeconfig') }
  const { stdout } = await run(findHelm(), words, { env, timeout: 60_000 })
  return stdout
}
/** What it complains of. */
const refused = (...words: string[]): Promise<string> =>
  helm(...words).then(
    (text) => assert.fail(`helm ${words.join(' ')} did not fail: ${text}`),
    (error: { stderr?: string }) => error.stderr ?? String(error),
  )
const greeting = () => cluster.kubectl("get configmap greet -o 'jsonpath={.data}'")

describe('helm', () => {
  it('installs, and waits until it runs', async () => {
    const text = await helm('install', 'greet', chart, '--wait', '--timeout', '40s')
    assert.match(text, /STATUS: deployed\nREVISION: 1\n[\s\S]*Release greet says hello\./)
    assert.match(await cluster.kubectl('get deployment greet'), /greet +1\/1 +1 +1/)
    assert.equal(await cluster.kubectl('logs job/greet-before'), 'before revision 1\n')
  })

  it('tells how it is', async () => {
    assert.match(await helm('status', 'greet'), /==> v1\/Deployment\nNAME +READY +UP-TO-DATE +AVAILABLE +AGE\ngreet +1\/1/)
    assert.match(await helm('list'), /^greet\s+team\s+1\s+\S.*deployed\s+greeting-1\.0\.0\s+1\.35/m)
    assert.match(await helm('get', 'manifest', 'greet'), /kind: Service/)
    assert.match(await helm('get', 'values', 'greet', '--all'), /greeting: hello/)
  })

  it('tests the release', async () => {
    assert.match(await helm('test', 'greet', '--logs', '--timeout', '40s'), /Phase: +Succeeded[\s\S]*POD LOGS: greet-page\nhello\n/)
  })

  it('upgrades and rolls back', async () => {
    const text = await helm('upgrade', 'greet', chart, '--set', 'greeting=goodbye,replicas=2', '--wait', '--timeout', '40s')
    assert.match(text, /has been upgraded[\s\S]*REVISION: 2/)
    assert.equal(await greeting(), '{"index.html":"goodbye\\n"}')
    assert.match(await cluster.kubectl('get deployment greet'), /greet +2\/2 +2 +2/)
    assert.match(await helm('rollback', 'greet', '1', '--wait', '--timeout', '40s'), /Rollback was a success/)
    assert.equal(await greeting(), '{"index.html":"hello\\n"}')
    assert.match(
      await helm('history', 'greet'),
      /^1\s.*superseded.*Install complete\s*\n2\s.*superseded.*Upgrade complete\s*\n3\s.*deployed.*Rollback to 1\s*$/m,
    )
  })

  it('owns what it applies, and says who else does', async () => {
    await cluster.kubectl('scale deployment greet --replicas=2')
    assert.match(
      await refused('upgrade', 'greet', chart, '--set', 'replicas=3', '--server-side=true'),
      /conflict with "kubectl" with subresource "scale" using apps\/v1: \.spec\.replicas/,
    )
    await helm('upgrade', 'greet', chart, '--set', 'replicas=1', '--server-side=true', '--force-conflicts', '--wait', '--timeout', '40s')
    assert.match(await cluster.kubectl('get deployment greet'), /greet +1\/1/)
  })

  it('fails in time, and goes back by itself', async () => {
    assert.match(
      await refused('upgrade', 'greet', chart, '--set', 'image=nowhere:1', '--wait', '--timeout', '3s'),
      /UPGRADE FAILED[\s\S]*context deadline exceeded/,
    )
    assert.match(await helm('list'), /^greet\s.*\sfailed\s/m)
    assert.match(await refused('upgrade', 'greet', chart, '--set', 'image=nowhere:1', '--rollback-on-failure', '--timeout', '3s'), /UPGRADE FAILED/)
    await helm('upgrade', 'greet', chart, '--wait', '--timeout', '40s')
    assert.match(await helm('list'), /^greet\s.*\sdeployed\s/m)
  })

  it('works without server-side apply too', async () => {
    await helm('upgrade', '--install', 'older', chart, '--server-side=false', '--wait', '--timeout', '40s')
    await helm('upgrade', '--install', 'older', chart, '--server-side=false', '--set', 'greeting=again', '--wait', '--timeout', '40s')
    assert.equal(await cluster.kubectl("get configmap older -o 'jsonpath={.data}'"), '{"index.html":"again\\n"}')
  })

  it('is refused what is not right', async () => {
    assert.match(
      await refused('install', 'bad', chart, '--set', 'replicas=-1'),
      /Deployment\.apps "bad" is invalid: spec\.replicas: Invalid value: -1: must be greater than or equal to 0/,
    )
    assert.match(await refused('install', 'bad', chart, '-n', 'nowhere'), /namespaces "nowhere" not found/)
    assert.match(await refused('install', 'greet', chart), /cannot reuse a name that is still in use/)
    assert.match(await helm('install', 'tried', chart, '--dry-run=server'), /STATUS: pending-install|NAME: tried/)
  })

  it('uninstalls, and nothing is left', async () => {
    for (const name of ['greet', 'older']) assert.match(await helm('uninstall', name, '--wait'), new RegExp(`release "${name}" uninstalled`))
    assert.doesNotMatch(await cluster.kubectl('get deployment,service,configmap,secret -o name'), /greet|older/)
    await eventually('the pods are gone', async () => !/app=/.test(await cluster.kubectl.says('get pods --show-labels')))
  })
})
