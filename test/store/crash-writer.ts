/**
 * The process that `crash.test.ts` kills: a thousand writers at once over one database. Each acknowledged write
 * is told on standard output as `key revision`, in one write per batch of answers.
 */
import { writeSync } from 'node:fs'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'

const [path = '', round = ''] = process.argv.slice(2)
const store = await openSqliteStore(path)
let told = ''
const value = new TextEncoder().encode('x'.repeat(300))

async function writer(id: number) {
  let expected = 0
  for (;;) {
    const key = `/registry/${round}/${id}`
    const result = await store.put(key, value, expected)
    if (!result.ok) throw new Error(`two writers at ${key}`)
    expected = result.revision
    if (told === '') setImmediate(tell)
    told += `${key} ${result.revision}\n`
  }
}

function tell() {
  writeSync(1, told)
  told = ''
}

await Promise.all(Array.from({ length: 1000 }, (_, id) => writer(id)))
