/** What Go's decoder says of text that is no base64: the position of the first byte that does not fit. */
export function base64Error(text: string): string | undefined {
  const at = firstWrong(text)
  return at === undefined ? undefined : `illegal base64 data at input byte ${at}`
}

/** Line breaks may stand anywhere. */
function firstWrong(text: string): number | undefined {
  if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return undefined
  let digits = 0
  let padding = 0
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === '\n' || char === '\r') continue
    // Nothing follows a full last group.
    if (padding > 0 && (digits + padding) % 4 === 0) return at
    if (char === '=') {
      if (digits % 4 < 2) return at
      padding++
    } else if (padding > 0 || !/[A-Za-z0-9+/]/.test(char)) return at
    else digits++
  }
  if ((digits + padding) % 4 === 0) return undefined
  return padding > 0 ? text.length : text.length - (digits % 4)
}
