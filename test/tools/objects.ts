/** What a test asks of a cluster's objects, by the real kubectl. */
import type { CoreV1Event, V1ContainerStatus, V1Pod } from '../../src/machinery/schema/generated/types.ts'
import { eventually, type TestCluster } from './cluster.ts'

export interface Objects {
  apply(manifest: string): Promise<void>
  /** `get('deployment/web')`, `get('pods', '-l', 'app=web')` */
  get<T>(...words: string[]): Promise<T>
  pod(name: string): Promise<V1Pod>
  /** Waits until it holds for the pod. */
  podUntil(name: string, what: string, holds: (pod: V1Pod) => unknown, seconds?: number): Promise<V1Pod>
  /** `Warning BackOff Back-off …` of each event about the object. */
  events(kind: string, name: string): Promise<string[]>
  /** Waits for an event whose line matches. */
  event(kind: string, name: string, pattern: RegExp, seconds?: number): Promise<string>
  /** Runs a shell line in the pod's container and answers what it printed. */
  sh(pod: string, line: string, container?: string): Promise<string>
}

export function objectsOf(cluster: TestCluster, namespace = 'default'): Objects {
  const run = async (args: string[], stdin?: string) => {
    const { code, stdout, stderr } = await cluster.kubectl.run(['-n', namespace, ...args], { ...(stdin === undefined ? {} : { stdin }), timeoutMs: 60_000 })
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`)
    return stdout
  }
  const get = async <T>(...words: string[]) => JSON.parse(await run(['get', ...words, '-o', 'json'])) as T
  const pod = (name: string) => get<V1Pod>('pod', name)
  const events = async (kind: string, name: string) => {
    const fields = `involvedObject.kind=${kind},involvedObject.name=${name}`
    const { items } = await get<{ items: CoreV1Event[] }>('events', '--field-selector', fields)
    return items.map(({ type, reason, message }) => `${type} ${reason} ${message}`)
  }
  return {
    apply: async (manifest) => void (await run(['apply', '-f', '-'], manifest)),
    get,
    pod,
    async podUntil(name, what, holds, seconds) {
      let last: V1Pod | undefined
      const describe = () => JSON.stringify(last?.status)
      try {
        return await eventually(
          `${name}: ${what}`,
          async () => {
            last = await pod(name)
            return holds(last) ? last : undefined
          },
          seconds,
        )
      } catch (error) {
        throw new Error(`${error instanceof Error ? error.message : error}\n${describe()}\n${(await events('Pod', name)).join('\n')}`)
      }
    },
    events,
    event: (kind, name, pattern, seconds) =>
      eventually(
        `an event of ${kind} ${name} matches ${pattern}`,
        async () => {
          const lines = await events(kind, name)
          const found = lines.find((line) => pattern.test(line))
          if (!found) throw new Error(lines.join('\n'))
          return found
        },
        seconds,
      ),
    sh: (name, line, container) => run(['exec', name, ...(container ? ['-c', container] : []), '--', 'sh', '-c', line]),
  }
}

export const containerOf = (pod: V1Pod, name = 'main'): V1ContainerStatus | undefined =>
  [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])].find((status) => status.name === name)

export const conditionOf = (pod: V1Pod, type: string): string | undefined => pod.status?.conditions?.find((condition) => condition.type === type)?.status
