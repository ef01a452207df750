import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFieldSelector } from './field-selectors.ts'
import { scaledValue } from './int-or-string.ts'
import { labelSelectorToString, matchesLabelSelector, parseLabelSelector } from './selectors.ts'

test('label selectors match', () => {
  const labels = { app: 'web', tier: 'front', in: 'x', n: '5', empty: '' }
  const matching = [
    '',
    'app',
    'app=web',
    'app==web,tier!=back',
    'app in (web,api)',
    'tier notin (back)',
    '!gone',
    'gone!=x',
    'in=x',
    'n>4,n<6',
    'empty=',
    'app in (web)',
    ' app = web , tier in ( front ) ',
    'empty in ()',
    'empty in (,a)',
  ]
  for (const text of matching) assert.equal(parseLabelSelector(text).matches(labels), true, text)
  for (const text of ['gone', 'app=api', 'app!=web', 'app notin (web)', '!app', 'gone in (x)', 'n>5', 'app>1'])
    assert.equal(parseLabelSelector(text).matches(labels), false, text)
})

test('label selectors in their canonical form', () => {
  assert.equal(parseLabelSelector('z,a in (c,b),!m,b==1,n!=2').toString(), 'a in (b,c),b==1,!m,n!=2,z')
  assert.equal(
    labelSelectorToString({ matchLabels: { app: 'web' }, matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['y', 'x'] }] }),
    'a notin (x,y),app=web',
  )
})

test('what is wrong with a label selector, in words', () => {
  const cases: [string, string | RegExp][] = [
    ['x=a,', "found '', expected: identifier after ','"],
    ['=a', "found '=', expected: !, identifier, or 'end of string'"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['a=b c', "found 'c', expected: ',' or 'end of string'"],
    ['a_=b', /Invalid value: "a_": name part must consist/],
    ['n>x', /for 'Gt', 'Lt' operators, the value must be an integer/],
  ]
  for (const [text, message] of cases) assert.throws(() => parseLabelSelector(text), { message })
})

test('selectors of the API: absent matches nothing, empty everything', () => {
  assert.equal(matchesLabelSelector(undefined, { a: 'b' }), false)
  assert.equal(matchesLabelSelector({}, undefined), true)
  assert.equal(matchesLabelSelector({ matchLabels: { a: 'b' } }, { a: 'b', c: 'd' }), true)
  assert.equal(matchesLabelSelector({ matchExpressions: [{ key: 'a', operator: 'Exists' }] }, {}), false)
})

test('field selectors', () => {
  const selector = parseFieldSelector('metadata.name=x,status.phase!=Running,spec.nodeName==n1')
  assert.equal(selector.matches({ 'metadata.name': 'x', 'spec.nodeName': 'n1' }), true)
  assert.equal(selector.matches({ 'metadata.name': 'x', 'spec.nodeName': 'n1', 'status.phase': 'Running' }), false)
  assert.equal(selector.requires('metadata.name'), 'x')
  assert.equal(parseFieldSelector('a=b\\,c\\=d\\\\').requires('a'), 'b,c=d\\')
  assert.throws(() => parseFieldSelector('foo'), { message: "invalid selector: 'foo'; can't understand 'foo'" })
  assert.throws(() => parseFieldSelector('a=b\\x'), /invalid escape sequence/)
})

test('percentages', () => {
  assert.equal(scaledValue('25%', 10, 'up'), 3)
  assert.equal(scaledValue('25%', 10, 'down'), 2)
  assert.equal(scaledValue(4, 10, 'down'), 4)
  assert.throws(() => scaledValue('x', 10, 'up'))
})
