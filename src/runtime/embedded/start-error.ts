/** crun's complaints in the words that users of Kubernetes know and search for. */

export const startErrorMessage = (complaint: string, args: string[]): string => wording(complaint, args, 'OCI runtime create failed: ')

export const execErrorMessage = (complaint: string, args: string[]): string => wording(complaint, args, 'OCI runtime exec failed: exec failed: ')

/** `args` are those of the process. */
function wording(complaint: string, args: string[], what: string): string {
  const text = complaint
    .split('\n')
    .map((line) => line.replace(/^\S+ \[?error\]?:? ?|^\d{4}-\S+: /i, ''))
    .join(' ')
    .trim()
  const program = args[0] ?? ''
  const cannotStart = (why: string) => `${what}unable to start container process: exec: ${JSON.stringify(program)}: ${why}`
  if (/not found in \$PATH|executable file .* not found/i.test(text))
    return cannotStart(program.includes('/') ? `stat ${program}: no such file or directory` : 'executable file not found in $PATH')
  // crun 1.8 and 1.21.
  if (/open executable: (Permission denied|Operation not permitted)|exists but it is not executable|exec.*: Permission denied/i.test(text))
    return cannotStart('permission denied')
  if (/exec.*: No such file or directory/i.test(text)) return cannotStart(`stat ${program}: no such file or directory`)
  if (/exec.*: Exec format error/i.test(text)) return cannotStart('exec format error')
  return `${what}${text}`
}
