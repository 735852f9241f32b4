import { expect, test } from 'vitest'
import { isLoopback } from '../../../engine/registry/addresses.ts'
import { parseChallenges } from '../../../engine/registry/challenge.ts'

test('a header may hold several challenges, and commas and quotes inside their values', () => {
  expect(
    parseChallenges(
      'Basic realm="a \\"b\\"", Bearer realm="https://x/token",scope="repository:a:pull,push", error=no',
    ),
  ).toEqual([
    { scheme: 'basic', parameters: { realm: 'a "b"' } },
    {
      scheme: 'bearer',
      parameters: { realm: 'https://x/token', scope: 'repository:a:pull,push', error: 'no' },
    },
  ])
  expect(parseChallenges('')).toEqual([])
})

test('only this machine is spoken to in the clear', () => {
  for (const host of ['localhost', 'app.localhost', '127.0.0.1', '127.1.2.3', '[::1]'])
    expect(isLoopback(host), host).toBe(true)
  for (const host of ['127.evil.com', '127.0.0.1.evil.com', 'localhost.evil.com', 'evil.com', '10.0.0.1'])
    expect(isLoopback(host), host).toBe(false)
})
