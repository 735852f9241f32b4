import { expect, test } from 'vitest'
import { authText, registriesText, registryFiles } from '../../../engine/builder/registries.ts'

const push = {
  reference: 'localhost:7080/acme/shop:build-1',
  credentials: { username: 'build', password: 'own' },
  insecure: true,
}
const logins = [
  { host: 'ghcr.io', prefix: '', username: 'ada', password: 'a' },
  { host: 'ghcr.io', prefix: 'acme/base', username: 'bob', password: 'b' },
  { host: 'localhost:7080', prefix: '', username: 'eve', password: 'other' },
]
const registries = [
  {
    host: 'docker.io',
    mirrors: [
      { url: 'https://mirror.internal/hub/', ca: 'PEM', credentials: { username: 'm', password: 'p' } },
    ],
  },
  { host: 'registry.internal:5000', url: 'http://10.0.0.5:5000' },
]

test('each login is for its own images, and what is pushed is pushed with its own password', () => {
  const { auths } = JSON.parse(authText({ push, logins, registries }))
  const words = Object.entries(auths as Record<string, { auth: string }>).map(([name, { auth }]) => [
    name,
    Buffer.from(auth, 'base64').toString(),
  ])
  expect(Object.fromEntries(words)).toEqual({
    'ghcr.io': 'ada:a',
    'ghcr.io/acme/base': 'bob:b',
    'mirror.internal/hub': 'm:p',
    'localhost:7080': 'build:own',
  })
})

test('mirrors and addresses are as the operator listed them', () => {
  expect(registriesText({ push, registries })).toBe(
    [
      'unqualified-search-registries = ["docker.io"]',
      'short-name-mode = "permissive"',
      '[[registry]]',
      'location = "localhost:7080"',
      'insecure = true',
      '[[registry]]',
      'prefix = "docker.io"',
      'location = "docker.io"',
      '[[registry.mirror]]',
      'location = "mirror.internal/hub"',
      '[[registry]]',
      'prefix = "registry.internal:5000"',
      'location = "10.0.0.5:5000"',
      'insecure = true',
      '',
    ].join('\n'),
  )
  expect(registryFiles({ push, registries }).map(({ target }) => target)).toEqual([
    '/build/auth.json',
    '/build/registries.conf',
    '/build/certs.d/mirror.internal/ca.crt',
  ])
})
