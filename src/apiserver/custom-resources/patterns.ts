/** Patterns are written for Go's engine; nearly all mean the same here. */

/** A pattern that this engine cannot read lets everything pass: better than to refuse what is good elsewhere. */
export function matchesPattern(pattern: string, text: string): boolean {
  const compiled = compile(pattern)
  return compiled === undefined || compiled.test(text)
}

function compile(pattern: string): RegExp | undefined {
  const leading = /^\(\?([ims]+)\)/.exec(pattern)
  const source = pattern
    .slice(leading?.[0].length ?? 0)
    .replace(/\(\?P</g, '(?<')
    .replace(/\\A/g, '^')
    .replace(/\\z/g, '$')
  try {
    return new RegExp(source, `${leading?.[1] ?? ''}u`)
  } catch {
    try {
      return new RegExp(source, leading?.[1] ?? '')
    } catch {
      return undefined
    }
  }
}
