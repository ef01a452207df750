import assert from 'node:assert/strict'
import { test } from 'node:test'
import { created, problems, row, updateProblems } from '../testing/draft.ts'
import { Deployment } from './deployment.ts'
import { ReplicaSet } from './replica-set.ts'

const metadata = { name: 'web', namespace: 'shop' }
const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'nginx:1' }] } }
const deployment = (spec: object = {}) => ({ metadata, spec: { selector: { matchLabels: { app: 'web' } }, template, ...spec } })

test('defaults', () => {
  const { spec, status } = created(Deployment, deployment())
  assert.deepEqual(
    [spec.replicas, spec.revisionHistoryLimit, spec.progressDeadlineSeconds, spec.strategy],
    [1, 10, 600, { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } }],
  )
  assert.deepEqual(status, {})
  assert.equal(spec.template.spec?.enableServiceLinks, undefined, 'only pods have it')
})

const invalid: [object, string[]][] = [
  [{}, []],
  [{ replicas: -1 }, ['spec.replicas: Invalid value: -1: must be greater than or equal to 0']],
  [
    { selector: undefined },
    ['spec.selector: Required value', 'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'],
  ],
  [{ selector: {} }, ['spec.selector: Invalid value: {}: empty selector is invalid for deployment']],
  [
    { selector: { matchLabels: { app: 'other' } } },
    ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'],
  ],
  [
    { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } },
    ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
  ],
  [{ strategy: { type: 'Recreate', rollingUpdate: {} } }, ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"]],
  [
    { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } },
    ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'],
  ],
  [{ progressDeadlineSeconds: 5, minReadySeconds: 5 }, ['spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds']],
]
test('validation', () => {
  for (const [spec, expected] of invalid) assert.deepEqual(problems(Deployment, deployment(spec)), expected, JSON.stringify(spec))
})

test('the selector may not change', () => {
  const other = { selector: { matchLabels: { app: 'x' } }, template: { ...template, metadata: { labels: { app: 'x' } } } }
  assert.deepEqual(updateProblems(Deployment, deployment(), deployment(other)), [
    'spec.selector: Invalid value: {"matchLabels":{"app":"x"}}: field is immutable',
  ])
})

test('columns', () => {
  const object = { ...created(Deployment, deployment({ replicas: 3 })), status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 2 } }
  assert.deepEqual(row(Deployment, object), {
    Name: 'web',
    Ready: '2/3',
    'Up-to-date': 3,
    Available: 2,
    Age: '<unknown>',
    Containers: 'web',
    Images: 'nginx:1',
    Selector: 'app=web',
  })
  const set = row(ReplicaSet, { metadata, spec: { replicas: 3, selector: {}, template }, status: { replicas: 3, readyReplicas: 1 } })
  assert.deepEqual([set.Desired, set.Current, set.Ready, set.Selector], [3, 3, 1, '<none>'])
})
