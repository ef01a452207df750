/** What a load generator is told, and what it answers. */
export interface LoadJob {
  server: string
  ca: string
  token: string
  connections: number
  /** Ends after this time, or after so many requests, whichever comes first. */
  seconds: number
  requests?: number
  /** `get`: the objects `name-0` … one after another. `create`: ConfigMaps `name-0` … */
  verb: 'get' | 'create'
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
