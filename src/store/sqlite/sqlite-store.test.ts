import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { storeContract } from '../store.contract.ts'
import { openSqliteStore } from './sqlite-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'skiff-store-'))
after(() => rmSync(folder, { recursive: true }))
let count = 0
const fresh = () => join(folder, `${count++}.db`)
const bytes = (text: string) => new TextEncoder().encode(text)

storeContract('sqlite', () => openSqliteStore(fresh()))

describe('SQLite store', () => {
  it('finds everything again when opened a second time, and never gives a revision twice', async () => {
    const path = fresh()
    const first = await openSqliteStore(path)
    await first.put('/a', bytes('one'), 0)
    const gone = await first.put('/b', bytes('two'), 0)
    await first.delete('/b', gone.revision)
    const last = await first.revision()
    await first.compact(last)
    await first.close()
    const second = await openSqliteStore(path)
    assert.equal(await second.revision(), last)
    assert.equal(await second.compactedRevision(), last)
    assert.equal(new TextDecoder().decode((await second.get('/a')).kv?.value), 'one')
    assert.equal((await second.put('/b', bytes('x'), 0)).revision, last + 1)
    await second.close()
  })

  it('refuses a database of a newer format in one sentence', async () => {
    const path = fresh()
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 99')
    db.close()
    await assert.rejects(openSqliteStore(path), /written by a newer Skiff/)
  })

  it('refuses a place that cannot be written', async () => {
    await assert.rejects(openSqliteStore(join(folder, 'none', 'x.db')), /unable to open database file/)
  })
})
