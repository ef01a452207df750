import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startErrorMessage } from './start-error.ts'

it('says that a file is no program, whichever crun complains', () => {
  const said = 'OCI runtime create failed: unable to start container process: exec: "/etc/passwd": permission denied'
  for (const complaint of ['crun: open executable: Permission denied', 'the path `/etc/passwd` exists but it is not executable: Operation not permitted'])
    assert.equal(startErrorMessage(complaint, ['/etc/passwd']), said)
})
