import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { startSpawner } from './spawner.ts'

describe('programs started by way of a small process', () => {
  const spawner = startSpawner()
  after(() => spawner.close())

  it('have their words, directory, environment and input, and give their output, errors and code', async () => {
    const script = 'pwd; echo "$1|$2|$NAME"; cat; echo wrong >&2; exit 3'
    const { code, stdout, stderr } = await spawner.run('sh', ['-c', script, 'sh', 'a b', ''], { cwd: '/usr', env: { NAME: 'x=y' }, input: 'line 1\nzwölf' })
    assert.equal(stdout.toString(), '/usr\na b||x=y\nline 1\nzwölf')
    assert.equal(stderr.toString(), 'wrong\n')
    assert.equal(code, 3)
  })

  it('run side by side, and answer as they end', async () => {
    const order: string[] = []
    const run = async (name: string, script: string) => {
      await spawner.run('sh', ['-c', script])
      order.push(name)
    }
    await Promise.all([run('slow', 'sleep 0.3'), run('fast', 'true')])
    assert.deepEqual(order, ['fast', 'slow'])
  })

  it('say so when they do not exist or were killed', async () => {
    const missing = await spawner.run('skiff-no-such-program', [])
    assert.equal(missing.code, 127)
    assert.match(missing.stderr.toString(), /No such file/)
    assert.equal((await spawner.run('sh', ['-c', 'kill -9 $$'])).code, 137)
  })

  it('may close their output long before they end', async () => {
    const { code } = await spawner.run('sh', ['-c', 'exec >/dev/null 2>&1; sleep 0.1; exit 4'])
    assert.equal(code, 4)
  })

  it('give back large outputs whole', async () => {
    const { stdout } = await spawner.run('head', ['-c', '1000000', '/dev/zero'])
    assert.equal(stdout.length, 1_000_000)
  })

  it('are started by another one when it was killed, even before it ever answered', async () => {
    const killed = startSpawner()
    for (let time = 0; time < 3; time++) {
      await assert.rejects(killed.run('sh', ['-c', 'kill -9 $PPID']), /the process that starts programs has ended/)
    }
    const { stdout } = await killed.run('sh', ['-c', 'cat /proc/$PPID/comm'])
    assert.equal(stdout.toString(), 'perl\n')
    killed.close()
  })

  it('take the direct way with inputs that are large', async () => {
    const { stdout } = await spawner.run('wc', ['-c'], { input: 'x'.repeat(200_000) })
    assert.equal(stdout.toString().trim(), '200000')
  })
})
