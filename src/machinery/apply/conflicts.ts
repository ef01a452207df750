import { applyConflict } from '../errors.ts'
import { type FieldSet, paths } from './field-set.ts'
import type { Owner } from './managers.ts'
import { pathText } from './path-element.ts'

export interface Conflict {
  owner: Owner
  fields: FieldSet
}

/** The answer to an apply that would take fields from others, in upstream's words. */
export function conflictError(conflicts: Conflict[]): Error {
  const found = conflicts
    .flatMap(({ owner, fields }) => [...paths(fields)].map((path) => ({ manager: managerText(owner), path: pathText(path) })))
    .sort((a, b) => (a.manager < b.manager ? -1 : a.manager > b.manager ? 1 : 0))
  const causes = found.map(({ manager, path }) => ({ reason: 'FieldManagerConflict', message: `conflict with ${manager}`, field: path }))
  const [first] = found
  if (found.length === 1 && first) return applyConflict(`Apply failed with 1 conflict: conflict with ${first.manager}: ${first.path}`, causes)
  const lines: string[] = []
  let manager: string | undefined
  for (const one of found) {
    if (one.manager !== manager) lines.push(`conflicts with ${one.manager}:`)
    manager = one.manager
    lines.push(`- ${one.path}`)
  }
  return applyConflict(`Apply failed with ${found.length} conflicts: ${lines.join('\n')}`, causes)
}

function managerText(owner: Owner): string {
  const subresource = owner.subresource ? ` with subresource ${JSON.stringify(owner.subresource)}` : ''
  const version = owner.operation === 'Update' ? ` using ${owner.apiVersion}` : ''
  return `${JSON.stringify(owner.manager)}${subresource}${version}`
}
