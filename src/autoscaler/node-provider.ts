/** Where the nodes of pools come from. One contract for nodes of this machine, simulated ones, and those of others. */
import type { V1Node } from '../machinery/schema/generated/types.ts'
import type { NodePool, ScaleDownSettings } from './node-pool.ts'

/** A node as its provider knows it, from the moment that it was wished for. */
export interface Instance {
  /** The provider's own name of it: of made nodes their name, else as in the Node's `spec.providerID`. */
  id: string
  state: 'creating' | 'running' | 'deleting'
  /** Why it will never run. */
  error?: { code: string; message: string }
  /** Its Node object, where it has registered: added by whoever asks for something to be done with it. */
  node?: V1Node
}

export interface NodeGroup {
  /** An empty node as the next one will be; undefined where nobody knows. */
  template(): Promise<V1Node | undefined>
  /** How many there are to be: those that are there, and those that were wished for. */
  targetSize(): Promise<number>
  /** All that are there or on their way, as far as the provider knows them one by one. */
  instances(): Promise<Instance[]>
  /** Resolves when the wish is known; the nodes come by themselves, or do not. */
  increase(by: number): Promise<void>
  /** Ends these and no others with their Node objects, and lowers the target by as many. Those that are gone already do no harm. */
  remove(instances: readonly Instance[]): Promise<void>
  /** Takes back wishes of which no instance has come yet. */
  takeBack(wishes: number): Promise<void>
  /** What the provider says of when nodes go; the pool's own words go before. */
  settings(): Promise<ScaleDownSettings & { provisionSeconds?: number }>
}

export interface NodeProvider {
  /** The provider's group for a pool. Throws in a sentence where there cannot be one. */
  group(pool: NodePool): Promise<NodeGroup>
  /** Called before each decision. */
  refresh(): Promise<void>
  close(): Promise<void>
}

/** Whether the Node object is this instance. */
export const isNodeOf = ({ id }: Instance, { metadata, spec }: V1Node): boolean =>
  id === metadata.name || (spec.providerID !== undefined && spec.providerID === id)
