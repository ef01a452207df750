/** Names that stand twice in one object of a JSON text: the last wins when it is parsed, and the client should know. */

interface Level {
  /** Undefined in an array. */
  names: Set<string> | undefined
  path: string
  /** Of an array: where the next value stands. */
  index: number
  /** The name whose value comes next. */
  name: string
}

const quote = 0x22
const backslash = 0x5c

/** Paths as upstream's strict decoder names them (`spec.containers[0].image`). `text` is valid JSON. */
export function duplicateFields(text: string): string[] {
  const found: string[] = []
  const levels: Level[] = []
  let expectsName = false
  for (let at = 0; at < text.length; at++) {
    const level = levels.at(-1)
    switch (text.charCodeAt(at)) {
      case quote: {
        const end = endOfString(text, at)
        if (expectsName && level?.names) {
          const name = nameOf(text, at, end)
          const path = level.path ? `${level.path}.${name}` : name
          if (level.names.has(name)) found.push(path)
          level.names.add(name)
          level.name = name
          expectsName = false
        }
        at = end
        break
      }
      case 0x7b: // {
        levels.push({ names: new Set(), path: pathOf(level), index: 0, name: '' })
        expectsName = true
        break
      case 0x5b: // [
        levels.push({ names: undefined, path: pathOf(level), index: 0, name: '' })
        expectsName = false
        break
      case 0x7d: // }
      case 0x5d: // ]
        levels.pop()
        expectsName = false
        break
      case 0x2c: // ,
        if (level?.names) expectsName = true
        else if (level) level.index++
        break
    }
  }
  return found
}

function pathOf(parent: Level | undefined): string {
  if (!parent) return ''
  if (!parent.names) return `${parent.path}[${parent.index}]`
  return parent.path ? `${parent.path}.${parent.name}` : parent.name
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === backslash) at++
    else if (code === quote) return at
  }
  return text.length
}

function nameOf(text: string, start: number, end: number): string {
  const plain = text.slice(start + 1, end)
  return plain.includes('\\') ? (JSON.parse(text.slice(start, end + 1)) as string) : plain
}
