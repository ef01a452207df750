/** Words of the command line that would do something else than was meant: refused in one sentence, before anything is done. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { skiff, testDirectory, upWords } from '../tools/cluster.ts'

const run = promisify(execFile)
const directory = testDirectory()
after(() => rmSync(directory, { recursive: true }))
const broken = join(directory, 'broken')
writeFileSync(broken, 'apiVersion: v1\nclusters: [x')
const upTo = (kubeconfig: string) => upWords(join(directory, 'data')).map((word, index, words) => (words[index - 1] === '--kubeconfig' ? kubeconfig : word))

describe('skiff', () => {
  for (const [what, words, says] of [
    ['a word where options belong', ['down', 'work'], /skiff: 'skiff down' takes options alone, and 'work' is none: 'skiff down --help'/],
    ['a directory without a name', ['up', '--data-dir', ''], /skiff: --data-dir must name a directory, and is empty/],
    ['a value that looks like an option', ['up', '--api-port', '-1'], /skiff: Option '--api-port' argument is ambiguous: 'skiff up --help'/],
    ...(
      [
        ['cpu=0', /skiff: --node-capacity: a node cannot have cpu=0, it must be more than that/],
        ['memory=-1Gi', /skiff: --node-capacity: a node cannot have memory=-1Gi, it must be more than that/],
        ['cpu=many', /skiff: --node-capacity takes pairs like cpu=2,memory=4Gi, and 'cpu=many' is none/],
      ] as const
    ).map(([amount, says]) => [`a node with ${amount}`, [...upWords(join(directory, 'data')), '--node-capacity', amount], says] as const),
    ['a port that is none', [...upWords(join(directory, 'data')), '--http-port', 'web'], /skiff: --http-port must be a port between 0 and 65535, not 'web'/],
    ...(
      [
        ['a server without TLS', ['--server', 'http://127.0.0.1:1'], /skiff: --server takes an address like https:/],
        ['a name that no node can have', ['--node-name', 'Far_Away'], /skiff: the name of a node has at most 63 characters/],
        ['a token that is none', ['--token', 'nonsense'], /skiff: the token has not the form ID\.SECRET/],
        ['a pin that is none', ['--ca-hash', 'sha256:12'], /skiff: --ca-hash has the form sha256:HEX/],
        ['a server that is not there', [], /skiff: the server 127\.0\.0\.1:1 cannot be reached/],
      ] as const
    ).map(
      ([what, words, says]) =>
        [what, ['agent', '--server', 'https://127.0.0.1:1', '--node-name', 'far', '--data-dir', join(directory, 'data'), ...words], says] as const,
    ),
    ['a kubeconfig that is none', upTo(broken), /skiff: \S+broken is not a kubeconfig \(.+\): mend it, or choose another with --kubeconfig/],
  ] as const)
    it(`refuses ${what}`, async () => {
      await assert.rejects(run(skiff, words, { cwd: directory }), (error: { stderr: string; stdout: string }) => {
        assert.match(error.stderr, says)
        assert.equal(error.stderr.trim().split('\n').length, 1, error.stderr)
        assert.equal(error.stdout, '')
        return true
      })
      assert.deepEqual(readdirSync(directory), ['broken'])
    })

  it('helps with each command, however it is asked', async () => {
    const [one, other] = await Promise.all([run(skiff, ['help', 'down']), run(skiff, ['down', '--help'])])
    assert.match(one.stdout, /^skiff down\n/)
    assert.equal(one.stdout, other.stdout)
  })

  it('takes an empty SKIFF_DATA_DIR for none', async () => {
    const { stdout } = await run(skiff, ['status', '--help'], { env: { ...process.env, SKIFF_DATA_DIR: '' } })
    assert.match(stdout, /\(\/var\/lib\/skiff\)/)
  })
})
