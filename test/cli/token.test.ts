import { expect, test } from 'vitest'
import { tokenRequest } from '../../cli/commands/token.ts'
import { createTokenForSchema } from '../../platform/operator.ts'

test('what the command line is told becomes what the API takes, and what it is not told stays out', () => {
  const options = {
    ...{
      name: 'ci',
      team: 'acme',
      role: 'developer',
      preset: 'deploy',
      app: ['shop/web'],
      repository: ['web'],
    },
    ...{ expires: 30, from: ['203.0.113.0/24'] },
  }
  const request = tokenRequest(options, Date.parse('2026-01-01T00:00:00Z'))
  const sent = JSON.parse(JSON.stringify(request))
  expect(sent).toEqual({
    ...{ name: 'ci', team: 'acme', role: 'developer', preset: 'deploy' },
    ...{ apps: ['shop/web'], repositories: ['web'], addresses: ['203.0.113.0/24'] },
    expiresAt: '2026-01-31T00:00:00.000Z',
  })
  expect(createTokenForSchema.safeParse(sent).success).toBe(true)
  const little = JSON.parse(JSON.stringify(tokenRequest({ name: 'x', email: 'ada@example.org' })))
  expect(little).toEqual({ name: 'x', email: 'ada@example.org' })
})
