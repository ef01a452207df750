/** `skiff token`: what other machines bring to join the cluster. */
import { shortDuration } from '../../apis/age.ts'
import { createClient } from '../../client/api-client.ts'
import type { Client } from '../../client/client.ts'
import { ConnectionError } from '../../client/connection-error.ts'
import { createHttpTransport } from '../../client/http-transport.ts'
import { loadKubeconfig } from '../../client/kubeconfig.ts'
import { runningCluster } from '../../cluster/data-directory.ts'
import { pinOf } from '../../cluster/join/authority-pin.ts'
import { createToken, deleteToken, listTokens } from '../../cluster/join/tokens.ts'
import { UserError } from '../../cluster/user-error.ts'
import { isApiError } from '../../machinery/errors.ts'
import { realClock } from '../../machinery/real-clock.ts'
import type { Command, Values } from '../command.ts'
import { duration } from '../numbers.ts'
import { dataDirOf, dataDirOption } from './data-dir.ts'

const actions = ['create', 'list', 'delete']

export const token: Command = {
  name: 'token',
  usage: 'create [TOKEN] | list | delete ID...',
  summary: 'Makes, lists and removes the tokens with which other machines join the cluster.',
  options: {
    'data-dir': dataDirOption,
    ttl: { type: 'string', value: 'TIME', default: '24h', help: 'create: how long the token is good; 0 is for ever' },
    description: { type: 'string', value: 'TEXT', help: 'create: what it is for' },
    'print-join-command': { type: 'boolean', help: 'create: print the command for the other machine in place of the token' },
    server: { type: 'string', value: 'URL', help: "how the other machine reaches the API server; that of the administrator's kubeconfig when absent" },
  },
  async run(values, [action = '', ...words]) {
    const data = dataDirOf(values)
    if (!actions.includes(action)) throw new UserError(`'skiff token' needs one of ${actions.join(', ')}`)
    if (!runningCluster(data)) throw new UserError(`no cluster is running over ${data.root}: 'skiff up' starts one`)
    const access = loadKubeconfig(data.kubeconfig)
    const transport = createHttpTransport(access)
    const client = createClient(transport, { userAgent: 'skiff-token' })
    try {
      if (action === 'list') await list(client)
      else if (action === 'delete') await remove(client, words)
      else await create(client, values, words, { server: access.server, authority: String(access.ca) })
      return 0
    } catch (error) {
      if (error instanceof ConnectionError) throw new UserError(`the API server does not answer (${error.code}): 'skiff status' says whether it runs`)
      if (isApiError(error)) throw new UserError(error.message)
      throw error
    } finally {
      transport.close()
    }
  },
}

async function create(client: Client, values: Values, words: string[], cluster: { server: string; authority: string }): Promise<void> {
  if (words.length > 1) throw new UserError("'skiff token create' takes one token at most")
  const server = typeof values.server === 'string' ? serverOf(values.server) : cluster.server
  const ttl = duration(values.ttl, '--ttl')
  const expiration = ttl === 0 ? undefined : realClock.now() + ttl
  const description = typeof values.description === 'string' ? values.description : ''
  const made = await createToken(client, { expiration, description, ...(words[0] === undefined ? {} : { token: words[0] }) })
  console.log(values['print-join-command'] ? `skiff agent --server ${server} --token ${made} --ca-hash ${pinOf(cluster.authority)}` : made)
}

function serverOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:') throw new UserError(`--server has the form https://HOST:PORT, not '${text}'`)
  return url.origin
}

async function list(client: Client): Promise<void> {
  console.log(row('TOKEN', 'TTL', 'EXPIRES', 'USAGES', 'DESCRIPTION'))
  for (const { id, secret, expiration, authentication, signing, description } of await listTokens(client)) {
    const usages = [authentication ? 'authentication' : '', signing ? 'signing' : ''].filter(Boolean).join(',')
    console.log(row(`${id}.${secret}`, ...timeOf(expiration), usages || '<none>', description || '<none>'))
  }
}

function timeOf(expiration: number | undefined): [string, string] {
  if (expiration === undefined) return ['<forever>', '<never>']
  if (Number.isNaN(expiration)) return ['<invalid>', '<invalid>']
  const left = expiration - realClock.now()
  return [left > 0 ? shortDuration(left) : '<expired>', new Date(expiration).toISOString().replace('.000', '')]
}

async function remove(client: Client, words: string[]): Promise<void> {
  if (words.length === 0) throw new UserError("'skiff token delete' takes the ids of tokens: 'skiff token list' lists them")
  for (const word of words) console.log(`token ${await deleteToken(client, word)} deleted`)
}

const widths = [26, 12, 23, 25, 0]
const row = (...cells: string[]) =>
  cells
    .map((cell, index) => cell.padEnd(widths[index] ?? 0))
    .join('')
    .trimEnd()
