/** Reads a CPU profile of Node and says how much of the time of the main thread went where. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ProfileShare {
  where: string
  share: number
}

interface Node {
  id: number
  callFrame: { functionName: string; url: string }
  children?: number[]
}

interface Profile {
  nodes: Node[]
  samples: number[]
  timeDeltas: number[]
}

/** Time between requests is nobody's. */
const idle = ['(idle)', '(root)']

const compiling = /^(compile|wrapSafe|ModuleWrap|getCompileCacheEntry|internalModuleStat|getPackageScopeConfig|evaluate$)/

function placeOf({ functionName, url }: Node['callFrame']): string {
  if (functionName === '(garbage collector)') return 'garbage collection'
  if (functionName === '(program)') return 'native code outside of JavaScript (received bytes, TLS, timers)'
  if (url === '' && /^(write|shutdown|readStop|readStart)/.test(functionName)) return 'writes to sockets: TLS and the kernel'
  if (url === '' && functionName === 'postMessage') return 'messages to the thread of the store'
  if (/^(spawn|spawnSync)$/.test(functionName)) return 'starting programs'
  if (url.startsWith('node:internal/modules') || compiling.test(functionName)) return 'loading modules'
  const own = /\/src\/([^/]+)\/(?:([^/]+)\/)?/.exec(url)
  if (own) return own[1] === 'apiserver' && own[2] ? `src/apiserver/${own[2]}` : `src/${own[1]}`
  if (/node:(internal\/)?(_?http|net|tls|_tls|stream|js_stream)|node:_http|node:internal\/(streams|stream_base)/.test(url)) return 'Node: HTTP, TLS, streams'
  if (url.startsWith('node:')) return 'Node: the rest'
  const packaged = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)
  if (packaged) return `package ${packaged[1]}`
  return functionName.startsWith('(') ? functionName : 'JavaScript built in (JSON, maps, strings, SQLite)'
}

/** Shares of the busy time; below a hundredth they are counted together. */
export function sharesOf(profile: Profile): ProfileShare[] {
  const places = new Map(profile.nodes.map((node) => [node.id, idle.includes(node.callFrame.functionName) ? '' : placeOf(node.callFrame)]))
  const time = new Map<string, number>()
  let total = 0
  profile.samples.forEach((id, index) => {
    const place = places.get(id)
    const delta = profile.timeDeltas[index] ?? 0
    if (!place || delta < 0) return
    time.set(place, (time.get(place) ?? 0) + delta)
    total += delta
  })
  const shares = [...time].map(([where, micros]) => ({ where, share: micros / total })).sort((a, b) => b.share - a.share)
  const large = shares.filter(({ share }) => share >= 0.01)
  return [...large, { where: 'the rest', share: 1 - large.reduce((sum, { share }) => sum + share, 0) }]
}

/** The profile of the server's main thread: the largest of those that were written into a directory. */
export function readProfile(directory: string): Profile {
  const files = globSync(join(directory, '*.cpuprofile')).map((file) => readFileSync(file, 'utf8'))
  const largest = files.sort((a, b) => b.length - a.length)[0]
  if (!largest) throw new Error('no profile was written')
  return JSON.parse(largest) as Profile
}
