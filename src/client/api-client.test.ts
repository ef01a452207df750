import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../machinery/errors.ts'
import { createClient } from './api-client.ts'
import { Pod } from './resources.ts'

test('an answer that is no object is a failure in words', async () => {
  const answering = (object: unknown, status = 200) =>
    createClient({ request: async () => ({ status, headers: {}, object }), close() {} }, { userAgent: 'test' })
  for (const object of [null, 'text', 5, undefined])
    await assert.rejects(
      answering(object).list(Pod),
      (error: unknown) => error instanceof ApiError && error.message === 'the answer is not a JSON object',
      String(object),
    )
  await assert.rejects(answering(null, 502).list(Pod), { message: 'the server answered with HTTP status 502' })
  assert.deepEqual((await answering({ items: null, metadata: {} }).list(Pod)).items, [])
})
