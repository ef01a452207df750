/** Reads JSON for what `JSON.parse` does not tell: names that stand twice, and errors in the words of Go's parser. */

export interface Scan {
  duplicates: string[]
  error: string | undefined
}

export function scanJson(text: string): Scan {
  const scanner = new Scanner(text)
  try {
    scanner.document()
    return { duplicates: scanner.duplicates, error: undefined }
  } catch (error) {
    if (error instanceof SyntaxError) return { duplicates: scanner.duplicates, error: error.message }
    throw error
  }
}

class Scanner {
  readonly duplicates: string[] = []
  readonly #text: string
  #at = 0
  readonly #path: string[] = []

  constructor(text: string) {
    this.#text = text
  }

  document(): void {
    this.#value()
    this.#blanks()
    if (this.#at < this.#text.length) throw this.#unexpected('after top-level value')
  }

  #value(): void {
    this.#blanks()
    const char = this.#text.charAt(this.#at)
    if (char === '{') this.#object()
    else if (char === '[') this.#array()
    else if (char === '"') this.#string()
    else if (char === 't') this.#word('true')
    else if (char === 'f') this.#word('false')
    else if (char === 'n') this.#word('null')
    else if (char === '-' || (char >= '0' && char <= '9')) this.#number()
    else throw this.#unexpected('looking for beginning of value')
  }

  #object(): void {
    this.#at++
    const names = new Set<string>()
    for (let first = true; ; first = false) {
      this.#blanks()
      if (first && this.#take('}')) return
      if (this.#text.charAt(this.#at) !== '"') throw this.#unexpected('looking for beginning of object key string')
      const name = this.#string()
      this.#path.push(this.#path.length ? `.${name}` : name)
      if (names.has(name)) this.duplicates.push(`duplicate field ${JSON.stringify(this.#path.join(''))}`)
      names.add(name)
      this.#blanks()
      if (!this.#take(':')) throw this.#unexpected('after object key')
      this.#value()
      this.#path.pop()
      this.#blanks()
      if (this.#take('}')) return
      if (!this.#take(',')) throw this.#unexpected('after object key:value pair')
    }
  }

  #array(): void {
    this.#at++
    for (let index = 0; ; index++) {
      this.#blanks()
      if (index === 0 && this.#take(']')) return
      this.#path.push(`[${index}]`)
      this.#value()
      this.#path.pop()
      this.#blanks()
      if (this.#take(']')) return
      if (!this.#take(',')) throw this.#unexpected('after array element')
    }
  }

  #string(): string {
    const start = this.#at++
    for (;;) {
      const char = this.#text.charAt(this.#at)
      if (char === '"') break
      if (char === '' || char < ' ') throw this.#unexpected('in string literal')
      if (char === '\\') {
        this.#at++
        const escaped = this.#text.charAt(this.#at)
        if (escaped === 'u') {
          for (let i = 0; i < 4; i++) if (!/[0-9a-fA-F]/.test(this.#text.charAt(++this.#at))) throw this.#unexpected('in \\u hexadecimal character escape')
        } else if (!'"\\/bfnrt'.includes(escaped) || escaped === '') throw this.#unexpected('in string escape code')
      }
      this.#at++
    }
    this.#at++
    return JSON.parse(this.#text.slice(start, this.#at)) as string
  }

  #number(): void {
    const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
    number.lastIndex = this.#at
    const found = number.exec(this.#text)
    if (!found) {
      this.#at++
      throw this.#unexpected('in numeric literal')
    }
    this.#at += found[0].length
  }

  #word(word: string): void {
    for (let i = 0; i < word.length; i++, this.#at++) {
      if (this.#text.charAt(this.#at) !== word.charAt(i)) throw this.#unexpected(`in literal ${word} (expecting '${word.charAt(i)}')`)
    }
  }

  #blanks(): void {
    while (' \t\r\n'.includes(this.#text.charAt(this.#at)) && this.#at < this.#text.length) this.#at++
  }

  #take(char: string): boolean {
    if (this.#text.charAt(this.#at) !== char) return false
    this.#at++
    return true
  }

  #unexpected(where: string): SyntaxError {
    const char = this.#text.charAt(this.#at)
    if (char === '') return new SyntaxError('unexpected end of JSON input')
    const shown = char === "'" ? `'\\''` : char === '"' ? `'"'` : `'${JSON.stringify(char).slice(1, -1)}'`
    return new SyntaxError(`invalid character ${shown} ${where}`)
  }
}
