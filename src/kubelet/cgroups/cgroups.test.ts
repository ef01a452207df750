import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { V1Container, V1Pod } from '../../machinery/schema/generated/types.ts'
import { sharesToWeight } from './cgroup-v2.ts'
import { podCgroup, podLimits } from './cgroups.ts'

const pod = (...resources: V1Container['resources'][]): V1Pod =>
  ({
    metadata: { uid: 'u' },
    spec: { containers: resources.map((one, index) => ({ name: `c${index}`, ...(one ? { resources: one } : {}) })) },
  }) as unknown as V1Pod

describe('pod cgroups', () => {
  it('stand where the quality of service puts them', () => {
    assert.equal(podCgroup(pod(undefined)), '/kubepods/besteffort/podu')
    assert.equal(podCgroup(pod({ requests: { cpu: '1' } })), '/kubepods/burstable/podu')
    assert.equal(podCgroup(pod({ limits: { cpu: '1', memory: '1Gi' } })), '/kubepods/podu')
    assert.equal(podCgroup(pod({ limits: { cpu: '1', memory: '1Gi' } }, undefined)), '/kubepods/burstable/podu')
  })
  it('are limited only where every container is', () => {
    assert.deepEqual(podLimits(pod({ limits: { cpu: '500m', memory: '1Mi' } }, { requests: { cpu: '1' }, limits: { memory: '1Mi' } })), {
      cpuShares: 1536,
      memoryLimit: 2 * 2 ** 20,
    })
    assert.deepEqual(podLimits(pod(undefined)), { cpuShares: 2 })
  })
  it('are limited as a whole where the pod asks for that, with what it takes beside its containers', () => {
    const { metadata, spec } = pod({ requests: { cpu: '250m', memory: '1Mi' } }, undefined)
    const resources = { requests: { cpu: '1', memory: '2Mi' }, limits: { cpu: '2', memory: '4Mi' } }
    const whole = { metadata, spec: { ...spec, resources, overhead: { cpu: '500m', memory: '1Mi' } } }
    assert.deepEqual(podLimits(whole), { cpuShares: 1536, cpuQuota: 250_000, memoryLimit: 5 * 2 ** 20 })
    assert.equal(podCgroup(whole), '/kubepods/burstable/podu')
  })
  it('weigh in version 2 as their shares', () => assert.deepEqual([2, 1024, 262_144].map(sharesToWeight), [1, 39, 10_000]))
})
