/** What an expression of the Common Expression Language is made of. */
export type Expression =
  | { kind: 'literal'; value: null | boolean | bigint | number | string | Uint8Array }
  | { kind: 'identifier'; name: string }
  /** `operand.field`; `optional`: `operand.?field`. */
  | { kind: 'select'; operand: Expression; field: string; optional: boolean }
  | { kind: 'index'; operand: Expression; index: Expression; optional: boolean }
  /** `function(…)`, or `target.function(…)`. */
  | { kind: 'call'; target: Expression | undefined; function: string; arguments: Expression[] }
  | { kind: 'list'; items: Expression[] }
  | { kind: 'map'; entries: [key: Expression, value: Expression][] }
  | { kind: 'unary'; operator: '!' | '-'; operand: Expression }
  | { kind: 'binary'; operator: BinaryOperator; left: Expression; right: Expression }
  | { kind: 'conditional'; condition: Expression; then: Expression; otherwise: Expression }

export type BinaryOperator = '||' | '&&' | '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | '+' | '-' | '*' | '/' | '%'

export class CelSyntaxError extends Error {
  constructor(message: string, at: number) {
    super(`ERROR: <input>:1:${at + 1}: Syntax error: ${message}`)
    this.name = 'CelSyntaxError'
  }
}

/** Of an evaluation: no such key, no such overload. */
export class CelError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'CelError'
  }
}
