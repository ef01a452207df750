import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from './cel.ts'
import { type CelValue, fromJson } from './values.ts'

const self = fromJson({
  replicas: 3,
  max: 5,
  name: 'web-1',
  ratio: 0.5,
  ports: [
    { name: 'http', port: 80 },
    { name: 'https', port: 443 },
  ],
  labels: { app: 'web', 'a/b': 'c' },
  'with-dash': 1,
  namespace: 'x',
  nothing: null,
})

const run = (text: string, variables: Record<string, CelValue> = {}) => compile(text).evaluate({ self, ...variables })
const yes = (...texts: string[]) => {
  for (const text of texts) assert.equal(run(text), true, text)
}

test('operators', () => {
  yes('1 + 2 * 3 == 7', '(1 + 2) * 3 == 9', '7 / 2 == 3', '7 % 4 == 3', '-7 / 2 == -3', '1.0 == 1', '2 > 1.5', "'a' + 'b' == 'ab'", '[1] + [2] == [1, 2]')
  yes('!false && true', 'false || true', '1 in [1, 2]', "'app' in self.labels", 'self.replicas <= self.max ? true : false', '-self.replicas == -3')
  yes(
    '{"a": 1}["a"] == 1',
    '[1, 2][1] == 2',
    "r'\\d' == '\\\\d'",
    '"\\u0041" == "A"',
    'b"ab" == bytes("ab")',
    '0x10 == 16',
    '1e3 == 1000.0',
    'null == self.nothing',
  )
})

test('one side of a logical operator may fail', () => {
  yes('true || self.missing', 'self.missing || true', '!(false && self.missing)', '!(self.missing && false)')
  assert.throws(() => run('self.missing || false'), /no such key: missing/)
  assert.throws(() => run('1 + "a"'), /no such overload/)
  assert.throws(() => run('1 / 0 == 1'), /division by zero/)
  assert.throws(() => run('unknown == 1'), /undeclared reference to 'unknown'/)
})

test('macros', () => {
  yes('has(self.replicas)', '!has(self.missing)', 'has(self.labels.app)', 'self.ports.all(p, p.port > 0)', 'self.ports.exists(p, p.name == "http")')
  yes('self.ports.exists_one(p, p.port == 80)', 'self.ports.filter(p, p.port > 100).size() == 1', 'self.ports.map(p, p.name) == ["http", "https"]')
  yes('self.ports.map(p, p.port > 100, p.name) == ["https"]', 'self.labels.all(key, self.labels[key] != "")', '[1, 2].all(i, v, v == i + 1)')
  yes('self.ports.all(a, self.ports.exists_one(b, a.name == b.name))', '[1, 2].transformList(i, v, v * 2) == [2, 4]')
  assert.throws(() => run('[1, 2].all(x, x / 0 == 1)'), /division by zero/)
})

test('optional values', () => {
  yes('self.?missing.orValue(7) == 7', 'self.?replicas.hasValue()', '!self.?missing.?deeper.hasValue()', 'self.labels[?"app"].value() == "web"')
  yes('optional.of(1).optMap(x, x + 1).value() == 2', 'optional.none().or(optional.of(3)).value() == 3')
})

test('names that are no identifiers are escaped', () => {
  yes('self.with__dash__dash == 1 || self["with-dash"] == 1', 'self.__namespace__ == "x"')
})

test('functions of texts and lists', () => {
  yes(
    'self.name.startsWith("web")',
    'self.name.matches("^[a-z]+-[0-9]+$")',
    'size(self.ports) == 2',
    '"a,b,c".split(",") == ["a", "b", "c"]',
    '["a", "b"].join("-") == "a-b"',
  )
  yes(
    '"Hello".lowerAscii() == "hello"',
    '"abc".substring(1) == "bc"',
    '"aXbXc".replace("X", "-") == "a-b-c"',
    '"abc".indexOf("c") == 2',
    '"n %s %d".format(["x", 3]) == "n x 3"',
  )
  yes(
    '[1, 2, 3].sum() == 6',
    '[3, 1].min() == 1',
    '[1, 2].isSorted()',
    '[1, 2, 1].indexOf(2) == 1',
    'sets.equivalent([1, 2], [2, 1, 1])',
    'sets.contains([1, 2], [1])',
  )
  yes('int("7") == 7', 'string(7) == "7"', 'double(1) == 1.0', 'type(1) == type(2)', 'size("é") == 1', '"a1b22".findAll("[0-9]+") == ["1", "22"]')
})

test('times, quantities, addresses, names', () => {
  yes(
    'duration("1h30m") > duration("80m")',
    'timestamp("2024-01-01T00:00:00Z").getFullYear() == 2024',
    'timestamp("2024-01-02T00:00:00Z") - timestamp("2024-01-01T00:00:00Z") == duration("24h")',
  )
  yes(
    'quantity("1Gi").isGreaterThan(quantity("1G"))',
    'isQuantity("5m") && !isQuantity("x")',
    'quantity("1000m") == quantity("1")',
    'quantity("2").add(quantity("1")).asInteger() == 3',
  )
  yes(
    'isIP("10.0.0.1") && !isIP("x")',
    'cidr("10.0.0.0/8").containsIP("10.1.2.3")',
    'ip("::1").family() == 6',
    'isURL("https://a.b/c")',
    'url("https://a.b:8080/c").getPort() == "8080"',
  )
  yes('!format.dns1123Label().validate("good").hasValue()', 'format.dns1123Label().validate("Not good").hasValue()')
})

test('what is no expression says where', () => {
  assert.throws(() => compile('self.a =='), /Syntax error: mismatched input '<EOF>'/)
  assert.throws(() => compile('self.a ~ 1'), /token recognition error at: '~'/)
  assert.throws(() => compile('(1'), /missing '\)' at '<EOF>'/)
})

test('an evaluation that never ends is given up', () => {
  const list = fromJson(Array.from({ length: 2000 }, (_, i) => i))
  assert.throws(() => run('l.all(a, l.all(b, a + b >= 0))', { l: list }), /actual cost limit exceeded/)
})
