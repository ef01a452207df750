/** Runs a cluster under Node's profiler and says where its time went, in each kind of work. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { openCluster, ownCluster } from './bench-cluster.ts'
import { runNodeLoad, runWrk } from './load/run-load.ts'
import { type ProfileShare, readProfile, sharesOf } from './profile.ts'
import { down, temporaryDirectory, up } from './skiff.ts'

const seconds = 6

export async function profiledLoad(): Promise<{ what: string; shares: ProfileShare[] }[]> {
  return [
    { what: 'Start, to node Ready', shares: await profiled() },
    { what: 'Object reads, 32 connections', shares: await profiled('get') },
    { what: 'Durable creates, 32 connections', shares: await profiled('create') },
  ]
}

async function profiled(verb?: 'get' | 'create'): Promise<ProfileShare[]> {
  const dataDir = temporaryDirectory()
  const profiles = join(dataDir, 'profiles')
  try {
    await up(dataDir, { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profiles}` })
    if (verb) {
      const { server, ca, token, namespace } = await openCluster({ ...ownCluster(dataDir), remove: async () => {} })
      const job = { server, ca, token, namespace, connections: 32, seconds, objects: 1000, name: 'profiled' }
      await runNodeLoad({ ...job, verb: 'create', requests: 1000 })
      await runWrk({ ...job, verb, name: verb === 'get' ? job.name : 'created' })
    }
    // The profile is written when the server ends.
    await down(dataDir)
    return sharesOf(readProfile(profiles))
  } finally {
    await down(dataDir)
    rmSync(dataDir, { recursive: true, force: true })
  }
}
