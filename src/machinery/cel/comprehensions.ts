/** Macros: `has`, and those that go through a list or map with a variable of their own. */
import { evaluate, type Scope, select, truth } from './evaluate.ts'
import { CelError, type Expression } from './syntax.ts'
import { type CelValue, Optional } from './values.ts'

type Call = Expression & { kind: 'call' }

const macros = new Set(['all', 'exists', 'exists_one', 'existsOne', 'map', 'filter', 'optMap', 'optFlatMap', 'transformList', 'transformMap'])

export const isComprehension = ({ target, function: name, arguments: given }: Call): boolean =>
  target === undefined ? name === 'has' && given.length === 1 : macros.has(name) && given[0]?.kind === 'identifier' && given.length >= 2

export function comprehension({ target, function: name, arguments: given }: Call, scope: Scope): CelValue {
  if (!target) return has(given[0], scope)
  const range = evaluate(target, scope)
  const names: string[] = []
  // With two variables the first is the key or position; the last arguments are expressions.
  const variables = name.startsWith('transform') || (given.length === 3 && given[1]?.kind === 'identifier' && name !== 'map') ? 2 : 1
  for (const one of given.slice(0, variables)) if (one.kind === 'identifier') names.push(one.name)
  const bodies = given.slice(variables)
  if (name.startsWith('opt')) return optional(range, names[0] ?? '', bodies[0], name === 'optFlatMap', scope)
  return iterate(name, entriesOf(range), names, bodies, scope)
}

function has(expression: Expression | undefined, scope: Scope): boolean {
  if (expression?.kind !== 'select') throw new CelError('invalid argument to has() macro')
  const found = select(evaluate(expression.operand, scope), expression.field, true)
  return found instanceof Optional && found.value !== undefined
}

interface Entry {
  key: CelValue
  value: CelValue
  /** What a single variable stands for: items of a list, keys of a map. */
  single: CelValue
}

function entriesOf(range: CelValue): Entry[] {
  if (Array.isArray(range)) return range.map((value, index) => ({ key: BigInt(index), value, single: value }))
  if (range instanceof Map) return [...range].map(([key, value]) => ({ key, value, single: key }))
  throw new CelError('no such overload')
}

function iterate(name: string, entries: Entry[], names: string[], bodies: Expression[], scope: Scope): CelValue {
  const [first, second] = bodies
  if (!first) throw new CelError(`invalid arguments to ${name}() macro`)
  const [a = '', b] = names
  const inside = ({ key, value, single }: Entry): Scope => ({
    variables:
      b === undefined
        ? new Map([[a, single]])
        : new Map([
            [a, key],
            [b, value],
          ]),
    outer: scope,
    budget: scope.budget,
  })
  const holds = (entry: Entry) => truth(evaluate(first, inside(entry)))
  switch (name) {
    case 'all':
      return decided(entries, holds, false)
    case 'exists':
      return decided(entries, holds, true)
    case 'exists_one':
    case 'existsOne':
      return entries.filter(holds).length === 1
    case 'filter':
      return entries.filter(holds).map(({ single }) => single)
    case 'map':
    case 'transformList':
      return (second ? entries.filter(holds) : entries).map((entry) => evaluate(second ?? first, inside(entry)))
    case 'transformMap':
      return new Map((second ? entries.filter(holds) : entries).map((entry) => [entry.key, evaluate(second ?? first, inside(entry))]))
    default:
      throw new CelError(`undeclared reference to '${name}'`)
  }
}

/** One decisive item is enough, even where others fail. */
function decided(entries: Entry[], holds: (entry: Entry) => boolean, decisive: boolean): boolean {
  let failure: unknown
  for (const entry of entries) {
    try {
      if (holds(entry) === decisive) return decisive
    } catch (error) {
      failure ??= error
    }
  }
  if (failure) throw failure
  return !decisive
}

function optional(range: CelValue, name: string, body: Expression | undefined, flat: boolean, scope: Scope): CelValue {
  if (!(range instanceof Optional) || !body) throw new CelError('no such overload')
  if (range.value === undefined) return range
  const made = evaluate(body, { variables: new Map([[name, range.value]]), outer: scope, budget: scope.budget })
  return flat ? made : new Optional(made)
}
