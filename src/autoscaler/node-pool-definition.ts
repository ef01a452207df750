/**
 * All there is to say of NodePool, in one declaration: fields, defaults, validation, columns, subresources. It is a
 * CustomResourceDefinition and no built-in kind, so that the autoscaler brings it along to any Kubernetes it is
 * pointed at, and the same rules hold there.
 */
import type { Client } from '../client/client.ts'
import { CustomResourceDefinition } from '../client/resources.ts'
import type { New } from '../machinery/object.ts'
import type { V1CustomResourceDefinition } from '../machinery/schema/generated/types.ts'
import { defaultDrainSeconds, NodePool } from './node-pool.ts'

const seconds = (description: string) => ({ type: 'integer', minimum: 0, maximum: 31_536_000, description })

/** A map whose keys are names with an optional domain before them, as of labels and resources. */
const qualifiedKeys = (what: string) => ({
  rule: "self.all(key, key.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))",
  message: `the name of a ${what} is at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit, perhaps after a domain and '/'`,
})

const labelText = '^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$'

const capacity = {
  type: 'object',
  description: 'What a node offers by resource name, as cpu, memory, pods; 110 pods where it says nothing.',
  maxProperties: 32,
  additionalProperties: { 'x-kubernetes-int-or-string': true, minimum: 0, pattern: '^([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]+)?$' },
  'x-kubernetes-validations': [qualifiedKeys('resource')],
}

const taint = {
  type: 'object',
  required: ['key', 'effect'],
  properties: {
    key: {
      type: 'string',
      description: 'The name that tolerations name.',
      maxLength: 317,
      pattern: '^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$',
    },
    value: { type: 'string', description: 'The value that tolerations may ask for.', maxLength: 63, pattern: labelText },
    effect: { type: 'string', description: 'What happens to pods that do not tolerate it.', enum: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] },
    timeAdded: { type: 'string', format: 'date-time', description: 'When a NoExecute taint was added.' },
  },
}

const template = {
  type: 'object',
  description: 'How a new node looks. Nodes that are there stay as they are when it changes: those that are added from then on follow it.',
  properties: {
    capacity,
    labels: {
      type: 'object',
      description: 'Labels that each node gets.',
      maxProperties: 32,
      additionalProperties: { type: 'string', maxLength: 63, pattern: labelText },
      'x-kubernetes-validations': [qualifiedKeys('label')],
    },
    taints: {
      type: 'array',
      description: 'Taints that each node gets.',
      maxItems: 32,
      items: taint,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['key', 'effect'],
    },
  },
}

const spec = {
  type: 'object',
  required: ['kind', 'maxSize'],
  description: 'What the pool is to be.',
  properties: {
    kind: {
      type: 'string',
      description: 'Who makes the nodes: Local (real ones, on this machine), Simulated, or External (a provider reached over gRPC).',
      enum: ['Local', 'Simulated', 'External'],
      'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'the kind of a pool cannot change' }],
    },
    minSize: {
      type: 'integer',
      format: 'int32',
      minimum: 0,
      maximum: 10_000,
      default: 0,
      description: 'There are always at least so many nodes: where it is raised, nodes are added at once, whether pods need them or not.',
    },
    maxSize: {
      type: 'integer',
      format: 'int32',
      minimum: 0,
      maximum: 10_000,
      description:
        'Nodes are added up to so many. Where it is lowered below the number that is there, no node goes for that reason: those go that are not needed.',
    },
    template,
    simulated: {
      type: 'object',
      description: 'How simulated nodes live.',
      properties: {
        startSeconds: seconds('From the wish for a node until it registers.'),
        failurePercent: { type: 'integer', minimum: 0, maximum: 100, description: 'Of a hundred nodes, how many never come up.' },
      },
    },
    external: {
      type: 'object',
      'x-kubernetes-validations': [
        {
          rule: "(has(self.group) ? self.group : '') == (has(oldSelf.group) ? oldSelf.group : '')",
          message: 'the node group of a pool cannot change: the nodes that are there would be of no pool',
        },
      ],
      description: "Where nodes come from that another provider makes; it speaks cluster-autoscaler's external gRPC protocol.",
      properties: {
        address: {
          type: 'string',
          description: "host:port of the provider; where it says nothing, that of the autoscaler's cloud config.",
          maxLength: 261,
          pattern: '^(\\[[0-9A-Fa-f:.]+\\]|[-A-Za-z0-9_.]+):[0-9]{1,5}$',
        },
        group: {
          type: 'string',
          description: "The provider's name of the node group; the pool's own name where it says nothing.",
          minLength: 1,
          maxLength: 512,
        },
        tlsSecretName: { type: 'string', description: 'A Secret in kube-system with tls.crt, tls.key and ca.crt.', minLength: 1, maxLength: 253 },
      },
    },
    scaleDown: {
      type: 'object',
      description: "When nodes go; where it says nothing, the autoscaler's own settings hold.",
      properties: {
        disabled: { type: 'boolean', description: 'No node goes.' },
        utilizationPercent: { type: 'integer', minimum: 0, maximum: 100, description: 'A node of which more is requested stays.' },
        unneededSeconds: seconds('So long a node is not needed before it goes.'),
        unreadySeconds: seconds('The same for a node that is not ready.'),
        delayAfterAddSeconds: seconds('After nodes were added anywhere, none of this pool goes for so long.'),
      },
    },
    provisionSeconds: { ...seconds('A node that is not ready after so long is given up.'), minimum: 1 },
    drainSeconds: {
      ...seconds(
        'A pool that is deleted drains and removes its nodes before it goes. For so long disruption budgets are respected; then pods that are left are deleted, and nodes go all the same.',
      ),
      default: defaultDrainSeconds,
    },
  },
  'x-kubernetes-validations': [
    { rule: 'self.minSize <= self.maxSize', message: 'minSize must not be greater than maxSize', fieldPath: '.minSize' },
    {
      rule: "self.kind == 'External' || (has(self.template) && has(self.template.capacity) && 'cpu' in self.template.capacity && 'memory' in self.template.capacity)",
      message: 'template.capacity must say at least cpu and memory: nobody else knows how large a node is to be',
    },
    { rule: "(self.kind == 'External') == has(self.external)", message: 'external belongs to pools of kind External, and to each of them' },
    { rule: '!has(self.external) || !has(self.external.tlsSecretName) || has(self.external.address)', message: 'external.tlsSecretName belongs to an address' },
    { rule: "self.kind == 'Simulated' || !has(self.simulated)", message: 'simulated belongs to pools of kind Simulated alone' },
    { rule: "self.kind != 'External' || !has(self.template)", message: "an external pool's provider says how its nodes look: template must be absent" },
  ],
}

const condition = {
  type: 'object',
  required: ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
  properties: {
    type: { type: 'string', maxLength: 316, description: 'Ready, ScalingUp, ScalingLimited, BackingOff or Deleting.' },
    status: { type: 'string', enum: ['True', 'False', 'Unknown'], description: 'Whether it is so.' },
    observedGeneration: { type: 'integer', format: 'int64', minimum: 0, description: 'The generation of the pool that it is about.' },
    lastTransitionTime: { type: 'string', format: 'date-time', description: 'Since when it is so.' },
    reason: { type: 'string', minLength: 1, maxLength: 1024, description: 'Why, in a word.' },
    message: { type: 'string', maxLength: 32_768, description: 'Why, in a sentence.' },
  },
}

const status = {
  type: 'object',
  description: 'What the pool is.',
  properties: {
    observedGeneration: { type: 'integer', format: 'int64', description: 'The generation of the pool that this is about.' },
    size: { type: 'integer', format: 'int32', description: 'Nodes that are there, ready or not.' },
    targetSize: { type: 'integer', format: 'int32', description: 'Nodes that there are to be.' },
    ready: { type: 'integer', format: 'int32', description: 'Nodes that are ready.' },
    conditions: { type: 'array', items: condition, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'], description: 'How the pool is.' },
  },
}

const column = (name: string, type: string, jsonPath: string, description: string, priority = 0) => ({ name, type, jsonPath, description, priority })

export const nodePoolDefinition: New<V1CustomResourceDefinition> = {
  metadata: { name: `${NodePool.plural}.${NodePool.group}` },
  spec: {
    group: NodePool.group,
    scope: 'Cluster',
    names: { plural: NodePool.plural, singular: 'nodepool', kind: NodePool.kind, listKind: 'NodePoolList', shortNames: ['np'] },
    versions: [
      {
        name: NodePool.version,
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            description: 'Nodes that are alike, as many of them as are needed.',
            required: ['spec'],
            properties: { spec, status },
            'x-kubernetes-validations': [
              { rule: "self.metadata.name != 'default'", message: 'nodes that are of no pool are labelled default: choose another name' },
              {
                rule: "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,32}[a-z0-9])?$')",
                message: "the name of a pool begins the names of its nodes: at most 34 lower-case letters, digits and '-'",
              },
            ],
          },
        },
        // To scale a pool by hand is to say how many nodes there are at least.
        subresources: { status: {}, scale: { specReplicasPath: '.spec.minSize', statusReplicasPath: '.status.size' } },
        additionalPrinterColumns: [
          column('Kind', 'string', '.spec.kind', 'Who makes the nodes.'),
          column('Min', 'integer', '.spec.minSize', 'There are always at least so many nodes.'),
          column('Max', 'integer', '.spec.maxSize', 'There are never made more nodes than so many.'),
          column('Size', 'integer', '.status.size', 'Nodes that are there.'),
          column('Ready', 'integer', '.status.ready', 'Nodes that are ready.'),
          column('Target', 'integer', '.status.targetSize', 'Nodes that there are to be.', 1),
          column('Backing off', 'string', '.status.conditions[?(@.type=="BackingOff")].status', 'Whether it failed to make nodes lately.', 1),
          column('Deleting', 'string', '.status.conditions[?(@.type=="Deleting")].reason', 'What a deleted pool is at.', 1),
          column('Age', 'date', '.metadata.creationTimestamp', 'Since when there is the pool.'),
        ],
      },
    ],
  } as unknown as V1CustomResourceDefinition['spec'],
}

/** Brings the kind to the cluster, in the form that this version knows. */
export async function ensureNodePools(client: Client): Promise<void> {
  const definition = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', ...nodePoolDefinition }
  await client.patch(CustomResourceDefinition, { name: nodePoolDefinition.metadata.name ?? '' }, 'apply', definition, {
    fieldManager: 'cluster-autoscaler',
    force: true,
  })
}
