/**
 * A recipe says how an image is made out of Debian packages and files, as YAML:
 *
 *   from: debian                      # this machine's release, shared by all images; or an image of the store
 *   steps:                            # a layer each; within a step in the order shown here
 *     - write:                        # files with their content, before packages look for them
 *         - { path: /etc/x.conf, content: "…", mode: "0644", owner: "0:0" }
 *       packages: [postgresql-15]
 *       copy:                         # relative to the recipe's directory; a directory is copied with all below
 *         - { from: app, to: /app, mode: "0755", owner: "0:0" }
 *       run: |                        # a shell script inside
 *         adduser --system app
 *   config:
 *     env: { PATH: … }
 *     entrypoint: [docker-entrypoint.sh]
 *     cmd: [postgres]
 *     user: postgres
 *     workdir: /app
 *     ports: ["5432/tcp"]
 *     volumes: [/var/lib/postgresql/data]
 *     stopSignal: SIGINT
 *     labels: {}
 */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import type { ImageSettings } from '../images/manifest.ts'

export interface WrittenFile {
  path: string
  content: string
  mode?: string
  owner?: string
}

export interface CopiedFile {
  from: string
  to: string
  mode?: string
  owner?: string
}

export interface RecipeStep {
  write: WrittenFile[]
  packages: string[]
  copy: CopiedFile[]
  run?: string
}

export interface Recipe {
  /** Where `copy` looks. */
  directory: string
  from: string
  steps: RecipeStep[]
  settings: ImageSettings
}

export function readRecipe(path: string): Recipe {
  return parseRecipe(readFileSync(path, 'utf8'), dirname(resolve(path)), path)
}

export function parseRecipe(text: string, directory: string, name = 'recipe'): Recipe {
  const at = new Reader(name)
  const top = at.map(parse(text), '', ['from', 'steps', 'config'])
  const steps = at.list(top.steps ?? [], 'steps').map((value, index): RecipeStep => {
    const where = `steps[${index}]`
    const step = at.map(value, where, ['write', 'packages', 'copy', 'run'])
    return {
      write: at.list(step.write ?? [], `${where}.write`).map((file, i) => {
        const place = `${where}.write[${i}]`
        const fields = at.map(file, place, ['path', 'content', 'mode', 'owner'])
        return {
          path: at.text(fields.path, `${place}.path`),
          content: at.text(fields.content, `${place}.content`),
          ...at.optional(fields, place, ['mode', 'owner']),
        }
      }),
      packages: at.texts(step.packages ?? [], `${where}.packages`),
      copy: at.list(step.copy ?? [], `${where}.copy`).map((file, i) => {
        const place = `${where}.copy[${i}]`
        const fields = at.map(file, place, ['from', 'to', 'mode', 'owner'])
        return { from: at.text(fields.from, `${place}.from`), to: at.text(fields.to, `${place}.to`), ...at.optional(fields, place, ['mode', 'owner']) }
      }),
      ...(step.run === undefined ? {} : { run: at.text(step.run, `${where}.run`) }),
    }
  })
  return { directory, from: top.from === undefined ? 'debian' : at.text(top.from, 'from'), steps, settings: settingsOf(at, top.config ?? {}) }
}

function settingsOf(at: Reader, value: unknown): ImageSettings {
  const config = at.map(value, 'config', ['env', 'entrypoint', 'cmd', 'user', 'workdir', 'ports', 'volumes', 'stopSignal', 'labels'])
  const env = Object.entries(at.map(config.env ?? {}, 'config.env')).map(([key, one]) => `${key}=${at.scalar(one, `config.env.${key}`)}`)
  if (!env.some((entry) => entry.startsWith('PATH='))) env.unshift('PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
  const set = (list: unknown, where: string) => Object.fromEntries(at.list(list, where).map((one, i) => [at.scalar(one, `${where}[${i}]`), {}]))
  const labels = Object.entries(at.map(config.labels ?? {}, 'config.labels')).map(([key, one]) => [key, at.scalar(one, `config.labels.${key}`)])
  return {
    Env: env,
    ...(config.entrypoint === undefined ? {} : { Entrypoint: at.texts(config.entrypoint, 'config.entrypoint') }),
    ...(config.cmd === undefined ? {} : { Cmd: at.texts(config.cmd, 'config.cmd') }),
    ...(config.user === undefined ? {} : { User: at.scalar(config.user, 'config.user') }),
    ...(config.workdir === undefined ? {} : { WorkingDir: at.text(config.workdir, 'config.workdir') }),
    ...(config.ports === undefined ? {} : { ExposedPorts: withProtocol(set(config.ports, 'config.ports')) }),
    ...(config.volumes === undefined ? {} : { Volumes: set(config.volumes, 'config.volumes') }),
    ...(config.stopSignal === undefined ? {} : { StopSignal: at.text(config.stopSignal, 'config.stopSignal') }),
    ...(labels.length === 0 ? {} : { Labels: Object.fromEntries(labels) }),
  }
}

const withProtocol = (ports: Record<string, object>) => Object.fromEntries(Object.keys(ports).map((port) => [port.includes('/') ? port : `${port}/tcp`, {}]))

/** Says where in the recipe something is wrong. */
class Reader {
  readonly #name: string
  constructor(name: string) {
    this.#name = name
  }
  #fail(where: string, what: string): never {
    throw new Error(`${this.#name}: ${where ? `${where}: ` : ''}${what}`)
  }
  map(value: unknown, where: string, known?: string[]): Record<string, unknown> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.#fail(where, 'must be a map')
    const unknown = known && Object.keys(value).find((key) => !known.includes(key))
    if (unknown) this.#fail(where, `unknown field "${unknown}" (known: ${known.join(', ')})`)
    return value as Record<string, unknown>
  }
  list(value: unknown, where: string): unknown[] {
    return Array.isArray(value) ? value : this.#fail(where, 'must be a list')
  }
  text(value: unknown, where: string): string {
    return typeof value === 'string' ? value : this.#fail(where, 'must be a string')
  }
  scalar(value: unknown, where: string): string {
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : this.#fail(where, 'must be a string')
  }
  texts(value: unknown, where: string): string[] {
    return this.list(value, where).map((one, i) => this.scalar(one, `${where}[${i}]`))
  }
  optional<K extends string>(fields: Record<string, unknown>, where: string, names: K[]): Partial<Record<K, string>> {
    const found: Partial<Record<K, string>> = {}
    for (const name of names) if (fields[name] !== undefined) found[name] = this.scalar(fields[name], `${where}.${name}`)
    return found
  }
}
