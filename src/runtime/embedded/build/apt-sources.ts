/**
 * Where Debian packages come from: the machine's own apt configuration, as far as it names archives of the
 * distribution itself. No mirror is named here.
 */
import { join } from 'node:path'
import { namesIn, readText } from '../json-file.ts'

export interface AptSources {
  /** `bookworm` */
  release: string
  /** Lines of a `sources.list`. */
  lines: string[]
}

export function machineAptSources(etc = '/etc'): AptSources {
  const release = /^VERSION_CODENAME=(\S+)$/m.exec(readText(join(etc, 'os-release')) ?? '')?.[1]
  if (!release)
    throw new Error('images are built from Debian packages on Debian and its relatives only: this machine has no VERSION_CODENAME in /etc/os-release')
  const parts = join(etc, 'apt/sources.list.d')
  const names = namesIn(parts).sort()
  const list = [join(etc, 'apt/sources.list'), ...names.filter((name) => name.endsWith('.list')).map((name) => join(parts, name))]
  const deb822 = names.filter((name) => name.endsWith('.sources')).map((name) => join(parts, name))
  const lines = [...list.flatMap((file) => oneLine(readText(file) ?? '')), ...deb822.flatMap((file) => paragraphs(readText(file) ?? ''))]
  const own = lines.filter(({ suite, components }) => (suite === release || suite.startsWith(`${release}-`)) && components.includes('main'))
  if (own.length === 0) throw new Error(`apt has no source of ${release} packages on this machine`)
  return { release, lines: own.map(({ options, uri, suite, components }) => `deb ${options ? `[${options}] ` : ''}${uri} ${suite} ${components.join(' ')}`) }
}

interface Source {
  options: string
  uri: string
  suite: string
  components: string[]
}

function oneLine(text: string): Source[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line)
    return match ? [{ options: (match[1] ?? '').trim(), uri: match[2] ?? '', suite: match[3] ?? '', components: (match[4] ?? '').trim().split(/\s+/) }] : []
  })
}

function paragraphs(text: string): Source[] {
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const fields = new Map<string, string>()
    for (const line of paragraph.split('\n')) {
      const match = /^([A-Za-z-]+):\s*(.*)$/.exec(line)
      if (match) fields.set((match[1] ?? '').toLowerCase(), (match[2] ?? '').trim())
    }
    const words = (name: string) => (fields.get(name) ?? '').split(/\s+/).filter((word) => word !== '')
    if (!words('types').includes('deb') || fields.get('enabled')?.toLowerCase() === 'no') return []
    const keys = fields.get('signed-by')
    // A key that stands in the file itself cannot be said in one line: the distribution's own ring has it.
    const options = keys?.startsWith('/') ? `signed-by=${keys.split(/\s+/).join(',')}` : ''
    return words('uris').flatMap((uri) => words('suites').map((suite) => ({ options, uri, suite, components: words('components') })))
  })
}
