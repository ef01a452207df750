/** The mission: every statement of the guide, checked on a fresh cluster with real kubectl, as `npm run guide -- --exit` does. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import type { GuideReport } from '../../src/cli/guide/step.ts'
import { skiff } from '../tools/cluster.ts'
import { hostState, processesOf } from '../tools/host-state.ts'

/** Kept between runs: the images are built once. */
const dataDir = join(import.meta.dirname, '../../.cache/guide')

it('every statement of the guide holds, and nothing is left of it', { timeout: 15 * 60_000 }, async () => {
  mkdirSync(dataDir, { recursive: true })
  const host = hostState()
  const file = join(dataDir, 'report.json')
  const child = spawn(skiff, ['guide', '--exit', '--report', file, '--data-dir', dataDir, '--http-port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  }
  const code = await new Promise((resolve) => child.on('close', resolve))
  assert.equal(code, 0, output)
  const report = JSON.parse(readFileSync(file, 'utf8')) as GuideReport
  assert.ok(report.ok)
  assert.deepEqual(
    report.steps.map((step) => step.number),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  )
  for (const step of report.steps) {
    assert.ok(step.ok, `step ${step.number}`)
    assert.ok(step.checks.length >= 2 && step.checks.every((check) => check.ok && check.seen))
    assert.ok(step.happened.length > 0, `step ${step.number}: nothing was recorded`)
  }
  const said = (number: number) =>
    report.steps
      .find((step) => step.number === number)
      ?.happened.map((one) => `${one.component} ${one.what}`)
      .join('\n') ?? ''
  assert.match(said(4), /replicaset-controller created pods\/postgres-deployment-/)
  assert.match(said(4), /kube-scheduler bound pod postgres-deployment-/)
  assert.match(said(4), /kubelet\/node-1 start container flask-postgres-app\/postgres-deployment-/)
  assert.match(said(6), /kube-proxy rules loaded/)
  assert.match(said(8), /ingress-nginx/)
  assert.match(said(9), /horizontal-pod-autoscaler/)
  assert.match(said(9), /cluster-autoscaler/)
  assert.deepEqual(processesOf(dataDir), [])
  assert.deepEqual(hostState(), host)
})
