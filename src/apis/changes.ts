/** What differs between two values, a line for each leaf: `- path: old` and `+ path: new`. For messages. */
export function changes(before: unknown, after: unknown, path = ''): string[] {
  if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)])
    return [...keys]
      .sort()
      .flatMap((key) =>
        changes(before[key], after[key], path === '' || Array.isArray(before) ? `${path}${Array.isArray(before) ? `[${key}]` : key}` : `${path}.${key}`),
      )
  }
  const old = JSON.stringify(before)
  const now = JSON.stringify(after)
  if (old === now) return []
  return [...(old === undefined ? [] : [`- ${path}: ${old}`]), ...(now === undefined ? [] : [`+ ${path}: ${now}`])]
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
