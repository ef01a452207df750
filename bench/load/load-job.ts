/** What a load generator is told, and what it answers. */
export interface LoadJob {
  server: string
  ca: string
  token: string
  connections: number
  /** Ends after this time, or after so many requests, whichever comes first. */
  seconds: number
  requests?: number
  /** `get`: the objects `name-0` … one after another. `create`: ConfigMaps `name-0` …; `create-pods`: Pods for simulated nodes. */
  verb: 'get' | 'create' | 'create-pods'
  namespace: string
  name: string
  /** How many objects are read in turn. */
  objects: number
}

export interface LoadResult {
  perSecond: number
  requests: number
  failed: number
  p50: number
  p99: number
}

/** As small as ConfigMaps of applications are. */
export const configMap = (namespace: string, name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels: { app: 'bench' } },
  data: { DB_HOST: 'postgres-service', DB_PORT: '5432', DB_NAME: 'appdb', FLASK_ENV: 'production', TEXT: 'x'.repeat(100) },
})

/** As small as Pods of applications are; they go to simulated nodes alone. */
export const simulatedPod = (namespace: string, name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, labels: { app: 'bench' } },
  spec: {
    nodeSelector: { 'skiff.dev/simulated': 'true' },
    containers: [
      {
        name: 'main',
        image: 'pause:3.10',
        ports: [{ containerPort: 80 }],
        resources: { requests: { cpu: '100m', memory: '100Mi' }, limits: { memory: '200Mi' } },
      },
    ],
  },
})
