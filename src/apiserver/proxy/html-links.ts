/**
 * Links of a page that is shown through the proxy: those that begin at the root of the page's own server would leave the
 * proxy, and are led back below it, as upstream does.
 */

const attributes: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['formaction', 'src', 'usemap'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  track: ['src'],
  video: ['poster', 'src'],
}

/** Their content is no markup. */
const raw = new Set(['script', 'style', 'textarea', 'title'])

/** A longer piece that is no whole tag is passed on as it is. */
const maxTagLength = 64 * 1024

export type Rewrite = (link: string) => string

/** `page` in pieces, in any encoding that begins with ASCII. */
export async function* withLinks(page: AsyncIterable<Uint8Array>, rewrite: Rewrite): AsyncGenerator<Uint8Array> {
  const links = new LinkRewriter(rewrite)
  // One character for each byte: whatever the encoding is, what is not touched stays as it was.
  for await (const piece of page) {
    const text = links.push(Buffer.from(piece).toString('latin1'))
    if (text) yield Buffer.from(text, 'latin1')
  }
  const rest = links.end()
  if (rest) yield Buffer.from(rest, 'latin1')
}

class LinkRewriter {
  readonly #rewrite: Rewrite
  #left = ''
  /** What ends the piece that is no markup, where one has begun. */
  #until: string | undefined

  constructor(rewrite: Rewrite) {
    this.#rewrite = rewrite
  }

  push(piece: string): string {
    let text = this.#left + piece
    let done = ''
    for (;;) {
      const length = this.#until === undefined ? plainLength(text) : lengthUntil(text, this.#until)
      done += text.slice(0, length)
      text = text.slice(length)
      if (this.#until !== undefined && text.toLowerCase().startsWith(this.#until)) this.#until = undefined
      if (this.#until !== undefined) break
      const tag = this.#tag(text)
      if (tag === undefined) break
      done += tag.text
      text = text.slice(tag.length)
    }
    this.#left = text.length > maxTagLength ? '' : text
    return text.length > maxTagLength ? done + text : done
  }

  end(): string {
    return this.#left
  }

  /** The tag or comment that the text begins with; undefined while it is not whole. */
  #tag(text: string): { text: string; length: number } | undefined {
    if (text.startsWith('<!--')) {
      this.#until = '-->'
      return { text: '<!--', length: 4 }
    }
    if (!/^<[a-zA-Z]/.test(text)) {
      const isWhole = text.length > 1 && !'<!--'.startsWith(text)
      return isWhole ? { text: text.charAt(0), length: 1 } : undefined
    }
    const whole = /^<([a-zA-Z][^\s/>]*)(?:[^>"']|"[^"]*"|'[^']*')*>/.exec(text)
    if (!whole) return undefined
    const [tag, given = ''] = whole
    const name = given.toLowerCase()
    if (raw.has(name) && !tag.endsWith('/>')) this.#until = `</${name}`
    return { text: this.#rewritten(tag, attributes[name] ?? []), length: tag.length }
  }

  #rewritten(tag: string, names: readonly string[]): string {
    if (names.length === 0) return tag
    return tag.replaceAll(/(\s)([a-zA-Z-]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)/g, (all, space: string, name: string, equals: string, value: string) => {
      if (!names.includes(name.toLowerCase())) return all
      const quote = /^["']/.exec(value)?.[0] ?? ''
      const link = quote ? value.slice(1, -1) : value
      return `${space}${name}${equals}${quote}${this.#rewrite(link)}${quote}`
    })
  }
}

function plainLength(text: string): number {
  const at = text.indexOf('<')
  return at < 0 ? text.length : at
}

/** As much as certainly comes before the end that is looked for. */
function lengthUntil(text: string, end: string): number {
  const at = text.toLowerCase().indexOf(end)
  return at >= 0 ? at : Math.max(0, text.length - end.length + 1)
}
