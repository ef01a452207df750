/** A plain text as one word of nginx's configuration. */
export function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** A regular expression as one word: a backslash stays itself unless nginx would take it away. */
export function quotedPattern(pattern: string): string {
  return `"${pattern.replaceAll('\\\\', '\\\\\\\\').replaceAll('"', '\\"')}"`
}

/** A text that a regular expression matches as it is. */
export function literalPattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
