/**
 * `$(VAR)` in commands, arguments and values: replaced when the variable is known, left as it stands when not;
 * `$$` is one dollar, so `$$(VAR)` is the text `$(VAR)`.
 */
export function expand(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/\$(\$|\(([^)]*)\))/g, (whole, kind: string, name: string | undefined) => {
    if (kind === '$') return '$'
    return (name === undefined ? undefined : values.get(name)) ?? whole
  })
}
