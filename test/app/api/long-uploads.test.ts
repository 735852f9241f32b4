import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { allowLongUploads } from '../../../app/_server/long-uploads.ts'

test('a server that somebody else made gives bodies the time that they take', async () => {
  const server = createServer((_, response) => response.end())
  expect(server.requestTimeout).toBe(300_000)
  allowLongUploads()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  expect(server.requestTimeout).toBe(0)
  expect(server.headersTimeout).toBeGreaterThan(0)
  server.close()
})
