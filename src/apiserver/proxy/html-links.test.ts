import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withLinks } from './html-links.ts'

/** The page in pieces of that many bytes. */
async function through(page: string, size: number): Promise<string> {
  const bytes = Buffer.from(page)
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  const out: Uint8Array[] = []
  for await (const piece of withLinks(pieces(), (link) => (link.startsWith('/') ? `/proxy${link}` : link))) out.push(piece)
  return Buffer.concat(out).toString()
}

const cases: [string, string, string][] = [
  ['a link', '<a href="/x">ä</a>', '<a href="/proxy/x">ä</a>'],
  ['quotes of both kinds, and none', `<IMG class=x src='/x' longdesc=/y>`, `<IMG class=x src='/proxy/x' longdesc=/proxy/y>`],
  ['relative links and other attributes stay', '<a href="x" title="/x"><div src="/x">', '<a href="x" title="/x"><div src="/x">'],
  [
    'scripts and comments stay',
    '<script src="/a">x = \'<a href="/x">\'</script><!-- <a href="/x"> --><a href="/x">',
    '<script src="/proxy/a">x = \'<a href="/x">\'</script><!-- <a href="/x"> --><a href="/proxy/x">',
  ],
  ['a sign that begins no tag', '1 < 2 <', '1 < 2 <'],
  ['an angle in a value', '<a title="a > b" href="/x">', '<a title="a > b" href="/proxy/x">'],
  ['a page that ends early', '<a href="/x', '<a href="/x'],
]
for (const [name, page, expected] of cases) {
  test(name, async () => {
    for (const size of [1, 3, 7, 1000]) assert.equal(await through(page, size), expected, `in pieces of ${size}`)
  })
}
