/**
 * kubeconfig files. Merging changes the entries of one context and the current context; everything else in
 * the file, its order and its comments stay as they are.
 */
import { existsSync } from 'node:fs'
import { chown, mkdir, realpath, rename, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { Document, isMap, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml'
import { UserError } from '../user-error.ts'
import type { KeyPair } from './certificate-authority.ts'
import { readIfThere, writeOwnerOnly } from './key-pair-file.ts'

export interface KubeconfigEntry {
  /** Name of the context, and of its cluster; its user is the same name unless `user` says another. */
  context: string
  server: string
  /** PEM of the authority of the server's certificate. */
  authority: string
  credentials: KeyPair | { token: string }
  user?: string
  namespace?: string
  /** The context that was the current one before this was made it. */
  before?: string
}

/** Under which the context's entry keeps what was the current one before. */
const beforeExtension = 'skiff.dev/before'

const base64 = (text: string) => Buffer.from(text).toString('base64')

function parts(entry: KubeconfigEntry) {
  const user = entry.user ?? entry.context
  return {
    clusters: { name: entry.context, cluster: { server: entry.server, 'certificate-authority-data': base64(entry.authority) } },
    users: {
      name: user,
      user:
        'token' in entry.credentials
          ? { token: entry.credentials.token }
          : { 'client-certificate-data': base64(entry.credentials.certificate), 'client-key-data': base64(entry.credentials.key) },
    },
    contexts: {
      name: entry.context,
      context: {
        cluster: entry.context,
        user,
        ...(entry.namespace ? { namespace: entry.namespace } : {}),
        ...(entry.before ? { extensions: [{ name: beforeExtension, extension: { context: entry.before } }] } : {}),
      },
    },
  }
}

/** A kubeconfig with this context alone. */
export async function writeKubeconfig(file: string, entry: KubeconfigEntry): Promise<void> {
  const { clusters, users, contexts } = parts(entry)
  const whole = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [clusters],
    contexts: [contexts],
    'current-context': entry.context,
    preferences: {},
    users: [users],
  }
  await writeOwnerOnly(file, new Document(whole).toString())
}

function listOf(document: Document, key: string): YAMLSeq {
  const found = document.get(key)
  if (isSeq(found)) return found
  document.set(key, document.createNode([]))
  return document.get(key) as YAMLSeq
}

const nameOf = (item: unknown) => (isMap(item) ? item.get('name') : undefined)

function put(document: Document, key: string, value: { name: string }): void {
  const list = listOf(document, key)
  list.flow = false
  const index = list.items.findIndex((item) => nameOf(item) === value.name)
  if (index < 0) list.add(document.createNode(value))
  else {
    const old = list.items[index] as YAMLMap
    for (const [field, content] of Object.entries(value)) old.set(field, field === 'name' ? content : document.createNode(content))
  }
}

async function open(file: string): Promise<Document> {
  const text = await readIfThere(file)
  if (text === undefined || text.trim() === '') return new Document({ apiVersion: 'v1', kind: 'Config' })
  const document = parseDocument(text)
  const why = document.errors[0]?.message.split('\n')[0]?.replace(/:$/, '') ?? (isMap(document.contents) ? undefined : 'it is not a map')
  if (why !== undefined) throw new UserError(`${file} is not a kubeconfig (${why}): mend it, or choose another with --kubeconfig`)
  return document as unknown as Document
}

const named = (document: Document, key: string, name: unknown): YAMLMap | undefined => {
  const list = document.get(key)
  return isSeq(list) ? list.items.filter(isMap).find((item) => item.get('name') === name) : undefined
}

/** Where a context's entry says which one was the current one before it. */
function recordOfBefore(context: YAMLMap | undefined): YAMLMap | undefined {
  const extensions = context?.getIn(['context', 'extensions'])
  const found = isSeq(extensions)
    ? extensions.items
        .filter(isMap)
        .find((item) => item.get('name') === beforeExtension)
        ?.get('extension')
    : undefined
  return isMap(found) ? found : undefined
}

const beforeOf = (document: Document, context: unknown) => recordOfBefore(named(document, 'contexts', context))?.get('context')

/** Throws {@link UserError} when a context could not be merged into it: better before a cluster is started than after. */
export async function checkKubeconfig(file: string): Promise<void> {
  await open(file)
}

/** Puts the context into the file, in place of one of the same name, and makes it the current one unless told not to. */
export async function mergeKubeconfig(file: string, entry: KubeconfigEntry, options: { current?: boolean } = {}): Promise<void> {
  const document = await open(file)
  const current = document.get('current-context')
  // What an earlier start left, and nobody took out again, still knows.
  const before = current === entry.context ? beforeOf(document, entry.context) : current
  const whole = options.current !== false && typeof before === 'string' && before !== '' ? { ...entry, before } : entry
  for (const [key, value] of Object.entries(parts(whole))) put(document, key, value)
  if (options.current !== false) document.set('current-context', entry.context)
  await replaceFile(file, document.toString({ lineWidth: 0 }))
}

/** Takes the context out again, with its cluster and user. Where it is still the current one, the one before it is again. */
export async function removeFromKubeconfig(file: string, entry: { context: string; user?: string }): Promise<void> {
  if ((await readIfThere(file)) === undefined) return
  const document = await open(file)
  const before = beforeOf(document, entry.context)
  for (const [key, name] of [
    ['clusters', entry.context],
    ['contexts', entry.context],
    ['users', entry.user ?? entry.context],
  ] as const) {
    const list = document.get(key)
    if (isSeq(list)) list.items = list.items.filter((item) => nameOf(item) !== name)
  }
  const contexts = document.get('contexts')
  for (const item of isSeq(contexts) ? contexts.items.filter(isMap) : []) {
    const record = recordOfBefore(item)
    if (record?.get('context') === entry.context) record.set('context', before ?? '')
  }
  if (document.get('current-context') === entry.context) {
    if (named(document, 'contexts', before)) document.set('current-context', before)
    else document.delete('current-context')
  }
  await replaceFile(file, document.toString({ lineWidth: 0 }))
}

/**
 * In one step, as {@link writeOwnerOnly}, but of a person's own file: where a link leads, and with its owner and mode. A
 * new one belongs to whom the directory belongs: `sudo` must not take a kubeconfig away from its user.
 */
async function replaceFile(file: string, text: string): Promise<void> {
  const path = await realpath(file).catch(() => file)
  const directory = dirname(path)
  let existing = directory
  while (!existsSync(existing)) existing = dirname(existing)
  const { uid, gid } = await stat(existsSync(path) ? path : existing)
  const made: string[] = []
  for (let one = directory; one !== existing; one = dirname(one)) made.push(one)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const mode = existsSync(path) ? (await stat(path)).mode & 0o777 : 0o600
  await writeFile(`${path}.new`, text, { mode })
  if (process.getuid?.() === 0) for (const one of [...made, `${path}.new`]) await chown(one, uid, gid)
  await rename(`${path}.new`, path)
}

/** Where kubectl would write: the first file of KUBECONFIG, else `~/.kube/config`. */
export function defaultKubeconfig(environment: Record<string, string | undefined>): string {
  const first = environment.KUBECONFIG?.split(delimiter).find((file) => file !== '')
  return first ?? join(homedir(), '.kube', 'config')
}
