/** The ten steps of the guide. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { ConfigMap, Deployment, Ingress, Namespace, PersistentVolume, PersistentVolumeClaim, Secret, StorageClass } from '../../client/resources.ts'
import { isApiError } from '../../machinery/errors.ts'
import {
  claimIsBound,
  clusterIp,
  endpointCount,
  expect,
  hasEvent,
  host,
  inFlask,
  isRunning,
  namespace,
  podsOf,
  readyPods,
  replicaSetOf,
  scheduled,
  sql,
  stateOf,
  storedKey,
} from './checks.ts'
import type { GuideCluster } from './guide-cluster.ts'
import { scaling } from './scaling.ts'
import type { Statement, Step } from './step.ts'

export const manifests = join(import.meta.dirname, '../../../examples/flask-postgres/manifests')

const apply = (file: string) => ['apply', '-f', file, '-n', namespace]

const submitted = (object: string, find: (cluster: GuideCluster) => Promise<unknown>): Statement => ({
  statement: `The user submits the ${object} to the APIServer.`,
  async check(cluster) {
    await find(cluster)
    return 'it answers with the object'
  },
})

const storesIt = (what: string, key: string): Statement => ({
  statement: `The APIServer stores the ${what} in etcd.`,
  check: (cluster) => storedKey(cluster, key),
})

function password(): string {
  const secret = parse(readFileSync(join(manifests, 'secret.yaml'), 'utf8')) as { stringData: { POSTGRES_PASSWORD: string } }
  return secret.stringData.POSTGRES_PASSWORD
}

/** Whether any file of the store holds the text. */
function storeFilesHold(cluster: GuideCluster, text: string): boolean {
  return ['', '-wal'].some((suffix) => {
    const bytes = readFileSync(cluster.data.state + suffix)
    return bytes.includes(text) || bytes.includes(Buffer.from(text).toString('base64'))
  })
}

const createNamespace: Step = {
  number: 1,
  title: 'Create a Namespace',
  kubectl: ['create', 'namespace', namespace],
  statements: [
    {
      statement: 'The user submits the command via kubectl, sending the request to the Kubernetes APIServer.',
      async check({ client }) {
        const { status } = await client.get(Namespace, { name: namespace })
        return `phase ${status?.phase}`
      },
    },
    {
      statement: 'The APIServer validates and stores the new namespace in etcd.',
      async check(cluster) {
        const refused = await cluster.kubectl(['create', 'namespace', 'Not_A_Name'])
        expect(refused.code !== 0 && refused.stderr.includes('is invalid'), `a bad name was not refused: ${refused.stderr || refused.stdout}`)
        return `${await storedKey(cluster, `/registry/namespaces/${namespace}`)}; 'Not_A_Name' is refused`
      },
    },
    {
      statement: 'The namespace isolates resources for this application within the cluster.',
      async check({ client }) {
        const elsewhere = await client.find(ConfigMap, { name: 'flask-config', namespace: 'default' })
        expect(elsewhere === undefined, 'an object of the application is seen in another namespace')
        try {
          await client.create(ConfigMap, { metadata: { name: 'x', namespace: 'no-such-namespace' } })
        } catch (error) {
          if (isApiError(error, 'NotFound')) return 'names are its own; a namespace that is not there takes nothing'
          throw error
        }
        throw new Error('an object was created in a namespace that does not exist')
      },
    },
  ],
}

const configMap: Step = {
  number: 2,
  title: 'Deploy a ConfigMap for Flask App Configuration',
  kubectl: apply('configmap.yaml'),
  statements: [
    submitted('ConfigMap YAML', ({ client }) => client.get(ConfigMap, { name: 'flask-config', namespace })),
    storesIt('ConfigMap (flask-config)', `/registry/configmaps/${namespace}/flask-config`),
    {
      statement: 'The ConfigMap is available in the namespace for use by Flask app Pods.',
      async check({ client }) {
        const { data } = await client.get(ConfigMap, { name: 'flask-config', namespace })
        expect(data?.DB_HOST === 'postgres-service', `DB_HOST is ${data?.DB_HOST}`)
        return `DB_HOST is ${data.DB_HOST}`
      },
    },
  ],
}

const secret: Step = {
  number: 3,
  title: 'Deploy a Secret for PostgreSQL Credentials',
  kubectl: apply('secret.yaml'),
  statements: [
    submitted('Secret YAML', ({ client }) => client.get(Secret, { name: 'postgres-secret', namespace })),
    {
      statement: 'The APIServer encrypts and stores the Secret (postgres-secret) in etcd.',
      async check(cluster) {
        const value = cluster.stored(`/registry/secrets/${namespace}/postgres-secret`)
        expect(value !== undefined, 'the Secret is not in the store')
        const prefix = /^k8s:enc:\w+:v1:\w+:/.exec(Buffer.from(value).toString('latin1'))?.[0]
        expect(prefix !== undefined, 'the stored value is not encrypted')
        expect(!storeFilesHold(cluster, password()), "the password stands in the store's files")
        return `stored as ${prefix}…; no file of the store holds the password`
      },
    },
    {
      statement: 'The Secret is available in the namespace for secure use by PostgreSQL.',
      async check({ client }) {
        const { data } = await client.get(Secret, { name: 'postgres-secret', namespace })
        expect(Buffer.from(data?.POSTGRES_PASSWORD ?? '', 'base64').toString() === password(), 'the password is not the one of the manifest')
        return Object.keys(data ?? {}).join(', ')
      },
    },
  ],
}

const deploymentOf = (name: string, replicas: number, image: string): Statement[] => [
  submitted('Deployment YAML', ({ client }) => client.get(Deployment, { name, namespace })),
  storesIt('Deployment', `/registry/deployments/${namespace}/${name}`),
  {
    statement: `The ControllerManager creates a ReplicaSet for the Deployment (${name}) to ensure ${replicas} ${replicas > 1 ? 'Pods run' : 'Pod runs'}.`,
    async check(cluster) {
      const replicaSet = await replicaSetOf(cluster, name)
      const pods = await podsOf(cluster, name)
      expect(replicaSet.spec.replicas === replicas && pods.length === replicas, `${replicaSet.metadata.name} has ${pods.length} of ${replicas} Pods`)
      return `${replicaSet.metadata.name}: ${pods.map((pod) => pod.metadata.name).join(', ')}`
    },
  },
  {
    statement: `The Scheduler assigns the ${replicas > 1 ? 'Pods to Nodes' : 'Pod to a Node'} in a NodePool based on resource availability.`,
    check: (cluster) => scheduled(cluster, name, replicas),
  },
  {
    statement: `The Kubelet on the assigned Node uses the ContainerRuntime to pull the image (${image}) and start the ${replicas > 1 ? 'Pods' : 'Pod'}.`,
    async check(cluster) {
      const pods = await podsOf(cluster, name)
      expect(pods.length === replicas && pods.every(isRunning), pods.map(stateOf).join('; '))
      for (const pod of pods) {
        await hasEvent(cluster, 'Pod', pod.metadata.name, 'Started')
        expect(Boolean(pod.status?.containerStatuses?.[0]?.imageID), `${pod.metadata.name} has no image`)
      }
      return `${await hasEvent(cluster, 'Pod', pods[0]?.metadata.name ?? '', 'Pulled')}; ${pods.length} running`
    },
  },
]

const postgres: Step = {
  number: 4,
  title: 'Deploy PostgreSQL',
  kubectl: apply('postgres-deployment.yaml'),
  statements: [
    ...deploymentOf('postgres-deployment', 1, 'postgres:15'),
    {
      statement: 'The Pod requests storage via a PersistentVolumeClaim (postgres-pvc), binding to a PersistentVolume provisioned by a StorageClass (standard).',
      async check(cluster) {
        const said = await claimIsBound(cluster, 'postgres-pvc')
        const claim = await cluster.client.get(PersistentVolumeClaim, { name: 'postgres-pvc', namespace })
        const volume = await cluster.client.get(PersistentVolume, { name: claim.spec.volumeName ?? '' })
        const storageClass = await cluster.client.get(StorageClass, { name: 'standard' })
        expect(volume.metadata.annotations?.['pv.kubernetes.io/provisioned-by'] === storageClass.provisioner, 'the volume was not provisioned by the class')
        return said
      },
    },
    {
      statement:
        'The Pod mounts the PersistentVolume for data storage (/var/lib/postgresql/data) and uses credentials from the Secret (postgres-secret) to initialize the database.',
      async check(cluster) {
        await readyPods(cluster, 'postgres-deployment', 1)
        const directory = await sql(cluster, 'SHOW data_directory')
        const user = await sql(cluster, 'SELECT current_user')
        expect(directory.startsWith('/var/lib/postgresql/data'), `the data directory is ${directory}`)
        return `data in ${directory}; '${user}' logs in with the Secret's password`
      },
    },
  ],
}

const flask: Step = {
  number: 5,
  title: 'Deploy the Flask App',
  kubectl: apply('flask-deployment.yaml'),
  statements: [
    ...deploymentOf('flask-deployment', 3, 'flask-app:1.0'),
    {
      statement: 'The Pods load configuration (database host) from the ConfigMap (flask-config) and connect to PostgreSQL via the Service.',
      after: 6,
      async check(cluster) {
        const pods = await readyPods(cluster, 'flask-deployment', 3)
        const database = await inFlask(cluster, 'import os; print(os.environ["DB_HOST"])')
        const connected = await sql(cluster, "SELECT count(DISTINCT application_name) FROM pg_stat_activity WHERE application_name LIKE 'flask-deployment-%'")
        expect(Number(connected) === pods.length, `${connected} of ${pods.length} Pods are connected`)
        return `DB_HOST is ${database}; ${connected} Pods are connected`
      },
    },
  ],
}

const registeredName = (service: string): Statement => ({
  statement: `CoreDNS registers the Service name (${service}.${namespace}.svc.cluster.local).`,
  async check(cluster) {
    const address = await clusterIp(cluster, service)
    const resolved = await inFlask(
      cluster,
      `import socket; print(socket.gethostbyname("${service}.${namespace}.svc.cluster.local"), socket.gethostbyname("${service}"))`,
    )
    expect(resolved === `${address} ${address}`, `it resolves to ${resolved}, not to ${address}`)
    return `it resolves to ${address}`
  },
})

const postgresService: Step = {
  number: 6,
  title: 'Create a Service for PostgreSQL',
  kubectl: apply('postgres-service.yaml'),
  statements: [
    submitted('Service YAML', (cluster) => clusterIp(cluster, 'postgres-service')),
    storesIt('Service', `/registry/services/specs/${namespace}/postgres-service`),
    {
      statement: 'The Service (postgres-service) is assigned a ClusterIP, and KubeProxy configures networking rules to route traffic to the PostgreSQL Pod.',
      async check(cluster) {
        const address = await clusterIp(cluster, 'postgres-service')
        expect((await endpointCount(cluster, 'postgres-service')) === 1, 'it has no endpoint')
        // PostgreSQL's own answer to a request for TLS is one letter: somebody else would not give it.
        const answer = await inFlask(
          cluster,
          `import socket,struct; s=socket.create_connection(("${address}",5432),3); s.sendall(struct.pack("!ii",8,80877103)); print(s.recv(1).decode())`,
        )
        expect(answer === 'N' || answer === 'S', `what answers at ${address} is not PostgreSQL (${answer})`)
        return `PostgreSQL answers at ${address}:5432`
      },
    },
    registeredName('postgres-service'),
  ],
}

const flaskService: Step = {
  number: 7,
  title: 'Create a Service for Flask App',
  kubectl: apply('flask-service.yaml'),
  statements: [
    submitted('Service YAML', (cluster) => clusterIp(cluster, 'flask-service')),
    storesIt('Service', `/registry/services/specs/${namespace}/flask-service`),
    {
      statement: 'The Service (flask-service) gets a ClusterIP, and KubeProxy configures load balancing across the 3 Flask Pods.',
      async check(cluster) {
        const address = await clusterIp(cluster, 'flask-service')
        expect((await endpointCount(cluster, 'flask-service')) === 3, `it has ${await endpointCount(cluster, 'flask-service')} endpoints`)
        const served = await inFlask(
          cluster,
          `import json,urllib.request as u; print(" ".join(sorted({json.load(u.urlopen("http://${address}/api/notes",timeout=3))["servedBy"] for _ in range(40)})))`,
        )
        const names = served.split(' ').filter(Boolean)
        const pods = (await podsOf(cluster, 'flask-deployment')).map((pod) => pod.metadata.name)
        expect(names.length === 3 && names.every((name) => pods.includes(name)), `of 40 requests to ${address}, these Pods served: ${served}`)
        return `40 requests to ${address} were served by ${names.join(', ')}`
      },
    },
    registeredName('flask-service'),
  ],
}

const ingress: Step = {
  number: 8,
  title: 'Create an Ingress for External Access',
  kubectl: apply('ingress.yaml'),
  statements: [
    submitted('Ingress YAML', ({ client }) => client.get(Ingress, { name: 'flask-ingress', namespace })),
    storesIt('Ingress', `/registry/ingress/${namespace}/flask-ingress`),
    {
      statement:
        'The IngressController (NGINX) processes the Ingress rules, setting up a proxy to route traffic from app.example.com to the Service (flask-service), which load-balances to the Flask Pods.',
      async check(cluster) {
        const { status } = await cluster.client.get(Ingress, { name: 'flask-ingress', namespace })
        expect((status?.loadBalancer?.ingress?.length ?? 0) > 0, 'the Ingress has no address yet')
        const page = await cluster.http(host, '/')
        expect(page.status === 200 && page.body.includes('Guest book'), `the page answers ${page.status}`)
        const served = new Set<string>()
        for (let i = 0; i < 40; i++) served.add((JSON.parse((await cluster.http(host, '/api/notes')).body) as { servedBy: string }).servedBy)
        expect(served.size === 3, `of 40 requests, ${[...served].join(', ')} served`)
        const other = await cluster.http('other.example.com', '/')
        expect(other.status === 404, `another host answers ${other.status}`)
        return `the page comes for ${host}, served by ${served.size} Pods; another host gets 404`
      },
    },
  ],
}

const endToEnd: Step = {
  number: 10,
  title: 'End-to-End Functionality',
  kubectl: undefined,
  statements: [
    {
      statement:
        'External users access the Flask app via app.example.com, routed by the IngressController to the Service (flask-service), which load-balances to the Flask Pods.',
      async check(cluster) {
        const page = await cluster.http(host, '/')
        expect(page.status === 200 && page.body.includes('<form'), `the page answers ${page.status}`)
        return `200, ${page.body.length} bytes`
      },
    },
    {
      statement:
        'The Flask app connects to PostgreSQL using the Service (postgres-service), resolved by CoreDNS, and performs database operations with data stored on the PersistentVolume.',
      check: dataSurvives,
    },
  ],
}

/** Writes through the Ingress, ends the database's Pod, and reads what was written from its successor. */
async function dataSurvives(cluster: GuideCluster): Promise<string> {
  const [before] = await readyPods(cluster, 'postgres-deployment', 1)
  const message = `written at ${new Date().toISOString()}`
  const written = await cluster.http(host, '/api/notes', { method: 'POST', json: { author: 'the guide', message } })
  expect(written.status === 201, `writing answers ${written.status}: ${written.body}`)
  expect((await sql(cluster, `SELECT count(*) FROM notes WHERE message = '${message}'`)) === '1', 'the note is not in the database')
  await cluster.answer(['delete', 'pod', '-n', namespace, before?.metadata.name ?? '', '--wait=true'])
  const end = performance.now() + 60_000
  for (;;) {
    const page = await cluster.http(host, '/api/notes').catch(() => undefined)
    if (page?.status === 200 && page.body.includes(message)) break
    expect(performance.now() < end, `after a new Pod, the notes answer ${page?.status}: ${page?.body.slice(0, 200)}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const [after] = await readyPods(cluster, 'postgres-deployment', 1)
  expect(after?.metadata.uid !== before?.metadata.uid, 'the Pod is the same')
  return `a note was written; ${before?.metadata.name} was deleted; ${after?.metadata.name} has the note`
}

export const steps: readonly Step[] = [createNamespace, configMap, secret, postgres, flask, postgresService, flaskService, ingress, scaling, endToEnd]
