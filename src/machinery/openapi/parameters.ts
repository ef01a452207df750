/** Query and path parameters of the operations; the words are our own. */
import type { Dialect, Json } from './dialect.ts'

interface Parameter {
  name: string
  in: 'query' | 'path'
  type: 'string' | 'integer' | 'boolean'
  description: string
}

const query = (name: string, type: Parameter['type'], description: string): Parameter => ({ name, in: 'query', type, description })

export const pretty = query('pretty', 'string', "'true' writes the answer with line breaks and indentation.")

const dryRun = query('dryRun', 'string', "'All' goes through every step of the write but stores nothing.")
const fieldManager = query(
  'fieldManager',
  'string',
  'Who the fields that this write changes shall belong to: up to 128 printable characters. Required for apply.',
)
const fieldValidation = query(
  'fieldValidation',
  'string',
  "What happens when the body has unknown or duplicate fields: 'Ignore' drops them, 'Warn' (the default) drops them and says so in a warning, 'Strict' refuses the request.",
)

export const writeParameters = [dryRun, fieldManager, fieldValidation]
export const patchParameters = [
  ...writeParameters,
  query('force', 'boolean', 'Takes fields over from their owners where an apply would conflict. Only for apply.'),
]

export const deleteParameters = [
  dryRun,
  query('gracePeriodSeconds', 'integer', 'Seconds to wait before the object goes; 0 is at once. The default is the object’s own.'),
  query(
    'ignoreStoreReadErrorWithClusterBreakingPotential',
    'boolean',
    'Deletes an object that can no longer be read from the store, past all checks. Only for objects that are broken.',
  ),
  query('orphanDependents', 'boolean', "Deprecated: use propagationPolicy. Whether dependents lose this owner ('true') instead of being deleted."),
  query('propagationPolicy', 'string', "What becomes of dependents: 'Orphan' keeps them, 'Background' deletes them after the object, 'Foreground' before it."),
]

const selection = [query('fieldSelector', 'string', 'Only objects whose fields are so.'), query('labelSelector', 'string', 'Only objects whose labels are so.')]
const page = [
  query('continue', 'string', 'Goes on with a list where the answer that held this token ended.'),
  query('limit', 'integer', 'The most objects in one answer.'),
]
const version = [
  query('resourceVersion', 'string', 'What the answer must at least, or exactly, be as new as.'),
  query('resourceVersionMatch', 'string', "How resourceVersion is meant: 'Exact' or 'NotOlderThan'."),
  query('sendInitialEvents', 'boolean', 'A watch begins with the objects that are there, and marks the end of them with a bookmark.'),
  query('timeoutSeconds', 'integer', 'Ends the list or watch after so long.'),
]

const byName = (a: Parameter, b: Parameter) => (a.name < b.name ? -1 : 1)

export const listParameters = [
  query('allowWatchBookmarks', 'boolean', 'Lets a watch send bookmarks, which carry only a resource version.'),
  ...page,
  ...selection,
  ...version,
  query('watch', 'boolean', 'Answers with changes as they happen instead of a list.'),
].sort(byName)

export const collectionDeleteParameters = [...deleteParameters, ...page, ...selection, ...version].sort(byName)

export const nameParameter = (kind: string): Parameter => ({ name: 'name', in: 'path', type: 'string', description: `Name of the ${kind}.` })
export const namespaceParameter: Parameter = { name: 'namespace', in: 'path', type: 'string', description: 'The namespace that the object is in.' }
export const pathParameter: Parameter = { name: 'path', in: 'path', type: 'string', description: 'The path that is asked for behind the proxy.' }

export const logParameters = [
  query('container', 'string', 'The container whose log is wanted; may be left out when the pod has one.'),
  query('follow', 'boolean', 'Goes on with what is written later.'),
  query('insecureSkipTLSVerifyBackend', 'boolean', 'Does not check the certificate of the kubelet that the log comes from.'),
  query('limitBytes', 'integer', 'The most bytes to answer.'),
  query('previous', 'boolean', 'The log of the container that ran before.'),
  query('sinceSeconds', 'integer', 'Only what was written in the last seconds.'),
  query('stream', 'string', "'All', 'Stdout' or 'Stderr'."),
  query('tailLines', 'integer', 'Only so many lines from the end.'),
  query('timestamps', 'boolean', 'Begins each line with its time.'),
]

export const portForwardParameters = [query('ports', 'integer', 'The ports to connect; only needed with WebSockets.')]
export const proxyParameters = [query('path', 'string', 'The path that is asked for behind the proxy.')]

export const execParameters = [
  query('command', 'string', 'The program and its arguments, one parameter each.'),
  query('container', 'string', 'The container; may be left out when the pod has one.'),
  query('stderr', 'boolean', 'Connects standard error.'),
  query('stdin', 'boolean', 'Connects standard input.'),
  query('stdout', 'boolean', 'Connects standard output.'),
  query('tty', 'boolean', 'Gives the program a terminal.'),
]

export function parameterOf({ version }: Dialect, { name, in: where, type, description }: Parameter): Json {
  const required = where === 'path' ? { required: true } : {}
  return version === 3
    ? { description, in: where, name, ...required, schema: { type, uniqueItems: true } }
    : { description, in: where, name, ...required, type, uniqueItems: true }
}

export type { Parameter }
