import { expect, test } from 'vitest'
import { choosePlatform, parseManifest } from '../../../engine/oci/manifest.ts'
import { formatReference, parseReference } from '../../../engine/oci/reference.ts'

const digest = `sha256:${'a'.repeat(64)}`

test.each([
  ['nginx', 'docker.io/library/nginx:latest'],
  ['nginx:1.27', 'docker.io/library/nginx:1.27'],
  ['org/app', 'docker.io/org/app:latest'],
  ['index.docker.io/org/app', 'docker.io/org/app:latest'],
  ['localhost/app', 'localhost/app:latest'],
  ['localhost:5000/a/b:v1', 'localhost:5000/a/b:v1'],
  ['[::1]:5000/a', '[::1]:5000/a:latest'],
  [`ghcr.io/a/b:tag@${digest}`, `ghcr.io/a/b:tag@${digest}`],
  [`ghcr.io/a/b@${digest}`, `ghcr.io/a/b@${digest}`],
])('%s means %s', (text, whole) => {
  expect(formatReference(parseReference(text))).toBe(whole)
})

test.each([
  '',
  'a//b',
  '/a',
  'a/',
  'org/UPPER',
  'a:',
  'a:b:c',
  'a@sha256:short',
  'a@md5:abc',
  'host:99999999/a',
  '../etc',
  'a b',
  'x'.repeat(600),
  'http://host/a',
])('%j is refused', (text) => {
  expect(() => parseReference(text)).toThrow(/is not an image reference/)
})

const layer = { digest, size: 1 }

test('a document that claims to be a manifest and an index is refused', () => {
  const both = Buffer.from(
    JSON.stringify({ schemaVersion: 2, manifests: [], layers: [layer], config: layer }),
  )
  expect(() => parseManifest(both, 'it')).toThrow(/at once/)
})

test('the image of this host is chosen, and attestations are none', () => {
  const mine = process.arch === 'arm64' ? 'arm64' : 'amd64'
  const of = (os: string, architecture: string, size: number) => ({
    digest,
    size,
    platform: { os, architecture },
  })
  const index = {
    schemaVersion: 2 as const,
    manifests: [of('unknown', 'unknown', 1), of('linux', 's390x', 2), of('linux', mine, 3)],
  }
  expect(choosePlatform(index, 'it').size).toBe(3)
  expect(() => choosePlatform({ ...index, manifests: index.manifests.slice(0, 2) }, 'it')).toThrow(
    /only for linux\/s390x/,
  )
})
