import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApiServer, type TestApiServer } from '../tools/api-server.ts'
import { type Kubectl, kubectl } from '../tools/kubectl.ts'

let api: TestApiServer
let admin: Kubectl
before(async () => {
  api = await startApiServer()
  admin = await kubectl(api.kubeconfig)
})
after(() => api.stop())

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct]}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                cronSpec: {type: string, description: When it runs.}
                image: {type: string}
                replicas: {type: integer, minimum: 1, default: 1}
            status:
              type: object
              properties:
                replicas: {type: integer}
                labelSelector: {type: string}
      subresources:
        status: {}
        scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, labelSelectorPath: .status.labelSelector}
      additionalPrinterColumns:
        - {name: Spec, type: string, jsonPath: .spec.cronSpec}
        - {name: Replicas, type: integer, jsonPath: .spec.replicas}
`

const cronTab = (spec: string) => `
apiVersion: stable.example.com/v1
kind: CronTab
metadata: {name: my-cron}
spec: ${spec}
`

describe('custom resources with kubectl', () => {
  it('are served once their definition is established', async () => {
    assert.match(await admin('apply -f -', { stdin: definition }), /created/)
    assert.match(await admin('wait --for=condition=established crd/crontabs.stable.example.com --timeout=10s'), /condition met/)
    assert.match(await admin('api-resources --api-group=stable.example.com'), /^crontabs\s+ct\s+stable.example.com\/v1\s+true\s+CronTab$/m)
    assert.match(await admin('explain crontab.spec.cronSpec'), /FIELD: cronSpec <string>[\s\S]*When it runs\./)
  })

  it('are applied, changed, and refused when they are wrong', async () => {
    assert.match(await admin('apply -f -', { stdin: cronTab('{cronSpec: "* * * * 5", image: a}') }), /created/)
    assert.match(await admin('apply -f -', { stdin: cronTab('{cronSpec: "* * * * 5", image: b}') }), /configured/)
    assert.match(await admin('apply -f -', { stdin: cronTab('{cronSpec: "* * * * 5", image: b}') }), /unchanged/)
    assert.match(await admin('get ct'), /NAME\s+SPEC\s+REPLICAS\nmy-cron\s+\* \* \* \* 5\s+1\n/)
    const wrong = await admin.run(['patch', 'ct', 'my-cron', '--type=merge', '-p', '{"spec":{"replicas":0}}'])
    assert.match(wrong.stderr, /The CronTab "my-cron" is invalid: spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1/)
    assert.match((await admin.run(['create', '-f', '-'], { stdin: cronTab('{imagex: a}') })).stderr, /unknown field "spec.imagex"/)
    assert.match(await admin('scale ct/my-cron --replicas=3'), /scaled/)
    assert.equal(await admin("get ct my-cron -o 'jsonpath={.spec.replicas} {.metadata.generation}'"), '3 3')
  })

  it('go with their definition', async () => {
    assert.match(await admin('get apiservice v1.stable.example.com'), /Local\s+True/)
    assert.match(await admin('delete crd crontabs.stable.example.com'), /deleted/)
    assert.match(
      (await admin.run(['get', 'crontabs.stable.example.com'])).stderr,
      /the server doesn't have a resource type|could not find the requested resource/,
    )
  })
})
