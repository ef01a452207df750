/**
 * Pools whose nodes somebody near makes one by one: a process on this machine, a simulation. What is there the maker
 * knows; what is on its way, or failed, is remembered here.
 */
import type { Client } from '../../client/client.ts'
import { Node } from '../../client/resources.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isApiError } from '../../machinery/errors.ts'
import type { V1Node, V1Taint } from '../../machinery/schema/generated/types.ts'
import { type NodePool, poolLabel } from '../node-pool.ts'
import type { Instance, NodeGroup, NodeProvider } from '../node-provider.ts'

export interface NodeToMake {
  name: string
  pool: string
  capacity: Record<string, string>
  labels: Record<string, string>
  taints: V1Taint[]
  startDelayMs: number
}

/** What a node will say of itself once its kubelet runs. */
export interface ExpectedNode {
  capacity: Record<string, string>
  /** Less than the capacity where the kubelet keeps something back. */
  allocatable: Record<string, string>
  /** All that it will have, those that it was given among them. */
  labels: Record<string, string>
}

export interface NodeMaker {
  /** Without making it: decisions are made on this, and have to hold for the real one. */
  expected(node: NodeToMake): ExpectedNode | Promise<ExpectedNode>
  /** All that it has made and that are there, running or not. */
  list(): Promise<{ name: string; pool: string }[]>
  /** Rejects when it cannot be made. May resolve before the node is registered. */
  create(node: NodeToMake): Promise<void>
  /** No error when it is not there. */
  remove(name: string): Promise<void>
}

export interface MadeNodesOptions {
  maker: NodeMaker
  client: Client
  clock: Clock
}

const letters = 'bcdfghjklmnpqrstvwxz'
const signs = `${letters}2456789`

export function madeNodes(options: MadeNodesOptions): NodeProvider {
  const groups = new Map<string, MadeGroup>()
  return {
    async group(pool) {
      const known = groups.get(pool.metadata.name) ?? new MadeGroup(options)
      groups.set(pool.metadata.name, known)
      known.pool = pool
      return known
    },
    async refresh() {},
    async close() {},
  }
}

class MadeGroup implements NodeGroup {
  pool: NodePool | undefined
  readonly #options: MadeNodesOptions
  readonly #creating = new Set<string>()
  readonly #deleting = new Set<string>()
  readonly #failed = new Map<string, string>()

  constructor(options: MadeNodesOptions) {
    this.#options = options
  }

  async template(): Promise<V1Node> {
    const node = this.#toMake('template')
    const { capacity, allocatable, labels } = await this.#options.maker.expected(node)
    return {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: node.name, uid: '', resourceVersion: '', creationTimestamp: '', labels: { ...labels, 'kubernetes.io/hostname': node.name } },
      spec: { taints: node.taints },
      status: { capacity, allocatable },
    }
  }

  async targetSize(): Promise<number> {
    return (await this.instances()).filter(({ state }) => state !== 'deleting').length
  }

  async instances(): Promise<Instance[]> {
    const pool = this.pool?.metadata.name
    const there = (await this.#options.maker.list()).filter((node) => node.pool === pool).map(({ name }) => name)
    const names = new Set([...there, ...this.#creating, ...this.#failed.keys()])
    return [...names].map((id): Instance => {
      const message = this.#failed.get(id)
      const state = this.#deleting.has(id) ? 'deleting' : this.#creating.has(id) || message !== undefined ? 'creating' : 'running'
      return { id, state, ...(message === undefined ? {} : { error: { code: 'CannotBeMade', message } }) }
    })
  }

  async increase(by: number): Promise<void> {
    const { maker, clock } = this.#options
    for (let i = 0; i < by; i++) {
      const node = this.#toMake(this.#freshName())
      this.#creating.add(node.name)
      // A simulated machine may be one that never comes up.
      if (clock.random() * 100 < (this.pool?.spec.simulated?.failurePercent ?? 0)) continue
      void maker.create(node).then(
        () => this.#creating.delete(node.name),
        (error: unknown) => {
          // Who was removed meanwhile was not made, as was wished.
          if (this.#creating.delete(node.name) && !this.#deleting.has(node.name))
            this.#failed.set(node.name, error instanceof Error ? error.message : String(error))
        },
      )
    }
  }

  async remove(instances: readonly Instance[]): Promise<void> {
    await Promise.all(
      instances.map(async ({ id }) => {
        this.#deleting.add(id)
        try {
          await this.#options.maker.remove(id)
          this.#creating.delete(id)
          this.#failed.delete(id)
          await this.#options.client.delete(Node, { name: id }).catch((error: unknown) => {
            if (!isApiError(error, 'NotFound')) throw error
          })
        } finally {
          this.#deleting.delete(id)
        }
      }),
    )
  }

  /** Every wish is an instance at once. */
  async takeBack(): Promise<void> {}

  async settings() {
    return {}
  }

  #freshName(): string {
    const { clock } = this.#options
    const one = (of: string) => of[Math.floor(clock.random() * of.length)] ?? ''
    // A letter first: names that are counted through (`node-12345`) are of others.
    return `${this.pool?.metadata.name}-${one(letters)}${one(signs)}${one(signs)}${one(signs)}${one(signs)}`
  }

  #toMake(name: string): NodeToMake {
    const pool = this.pool?.metadata.name ?? ''
    const { template = {}, simulated } = this.pool?.spec ?? {}
    const capacity = Object.fromEntries(Object.entries(template.capacity ?? {}).map(([resource, amount]) => [resource, String(amount)]))
    return {
      name,
      pool,
      capacity: { pods: '110', ...capacity },
      labels: { ...template.labels, [poolLabel]: pool },
      taints: template.taints ?? [],
      startDelayMs: (simulated?.startSeconds ?? 0) * 1000,
    }
  }
}

/** The pool that a made node belongs to, told by its name alone. */
export const poolOfName = (name: string): string | undefined => /^(.+)-[a-z][a-z0-9]{4}$/.exec(name)?.[1]
