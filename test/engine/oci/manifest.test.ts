import { expect, test } from 'vitest'
import { parseConfig, parseManifest } from '../../../engine/oci/manifest.ts'

const digest = `sha256:${'a'.repeat(64)}`
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 1 }
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 1 }
const read = (document: unknown) => parseManifest(Buffer.from(JSON.stringify(document)), 'it')

test.each([
  ['both', { schemaVersion: 2, config, layers: [layer], manifests: [] }, 'corrupt', /at once/],
  ['layers and manifests', { schemaVersion: 2, layers: [layer], manifests: [] }, 'corrupt', /at once/],
  [
    'a manifest that calls itself an index',
    { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', config, layers: [layer] },
    'corrupt',
    /calls itself/,
  ],
  [
    'an index that calls itself a manifest',
    { schemaVersion: 2, mediaType: 'application/vnd.docker.distribution.manifest.v2+json', manifests: [] },
    'corrupt',
    /calls itself/,
  ],
  ['schema 1', { schemaVersion: 1, fsLayers: [] }, 'unsupported', /push it again/],
  [
    'a chart',
    {
      schemaVersion: 2,
      config: { ...config, mediaType: 'application/vnd.cncf.helm.config.v1+json' },
      layers: [layer],
    },
    'unsupported',
    /no container image but application\/vnd\.cncf\.helm/,
  ],
  [
    'an attestation',
    { schemaVersion: 2, config, layers: [{ ...layer, mediaType: 'application/vnd.in-toto+json' }] },
    'unsupported',
    /application\/vnd\.in-toto\+json/,
  ],
  [
    'an encrypted layer',
    { schemaVersion: 2, config, layers: [{ ...layer, mediaType: `${layer.mediaType}+encrypted` }] },
    'unsupported',
    /encrypted/,
  ],
  [
    'another digest',
    { schemaVersion: 2, config, layers: [{ ...layer, digest: `sha512:${'a'.repeat(128)}` }] },
    'corrupt',
    /sha256/,
  ],
  [
    'a path as a digest',
    { schemaVersion: 2, config, layers: [{ ...layer, digest: 'sha256:../../etc' }] },
    'corrupt',
    /sha256/,
  ],
  ['a negative size', { schemaVersion: 2, config, layers: [{ ...layer, size: -1 }] }, 'corrupt', /size/],
  ['a size of 2^63', { schemaVersion: 2, config, layers: [{ ...layer, size: 2 ** 63 }] }, 'corrupt', /size/],
  [
    '128 layers',
    { schemaVersion: 2, config, layers: Array.from({ length: 128 }, () => layer) },
    'corrupt',
    /layers/,
  ],
  [
    'a large configuration',
    { schemaVersion: 2, config: { ...config, size: 5_000_000 }, layers: [] },
    'corrupt',
    /config/,
  ],
  ['a list', [], 'corrupt', /breaks the rules/],
])('%s is refused', (_what, document, kind, message) => {
  expect(() => read(document)).toThrow(
    expect.objectContaining({ kind, message: expect.stringMatching(message) }),
  )
})

test('what is no JSON is refused', () => {
  for (const text of ['', '<html>', '{"schemaVersion":2', '\u0000'])
    expect(() => parseManifest(Buffer.from(text), 'it')).toThrow(/is not JSON|breaks the rules/)
})

test.each([
  ['application/vnd.oci.image.layer.v1.tar'],
  ['application/vnd.oci.image.layer.v1.tar+zstd'],
  ['application/vnd.oci.image.layer.nondistributable.v1.tar+gzip'],
  ['application/vnd.docker.image.rootfs.diff.tar.gzip'],
  ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'],
  [undefined],
])('a layer of type %s is one, and addresses that come with it are not kept', (mediaType) => {
  const document = {
    schemaVersion: 2,
    config,
    layers: [{ ...layer, mediaType, urls: ['http://evil.example/x'] }],
  }
  const parsed = read(document)
  if (parsed.kind !== 'manifest') throw new Error('no manifest')
  expect(parsed.manifest.layers).toEqual([{ digest, size: 1, ...(mediaType ? { mediaType } : {}) }])
})

test('HEALTHCHECK is read as Docker writes it, and what does not read as one is none', () => {
  const read = (Healthcheck: unknown, Shell?: string[]) => {
    const json = { config: { Healthcheck, Shell }, rootfs: { type: 'layers', diff_ids: [] } }
    return parseConfig(Buffer.from(JSON.stringify(json)), 'it').config.healthCheck
  }
  const all = { Interval: 5e9, Timeout: 1_500_000, StartPeriod: 2e9, Retries: 4 }
  expect(read({ Test: ['CMD', 'curl', '-f', 'x'], ...all })).toEqual({
    command: ['curl', '-f', 'x'],
    intervalMs: 5_000,
    timeoutMs: 2,
    startPeriodMs: 2_000,
    retries: 4,
  })
  expect(read({ Test: ['CMD-SHELL', 'true'], Interval: 0, Retries: 0 })).toEqual({
    command: ['/bin/sh', '-c', 'true'],
  })
  expect(read({ Test: ['CMD-SHELL', 'true'] }, ['/bin/ash', '-ec'])).toEqual({
    command: ['/bin/ash', '-ec', 'true'],
  })
  expect(read({ Test: ['CMD', 'true'], Interval: 1 })).toMatchObject({ intervalMs: 1_000 })
  expect(read({ Test: ['CMD', 'true'], Interval: 9e15 })).toMatchObject({ intervalMs: 3_600_000 })
  const none = [null, {}, { Test: ['NONE'] }, { Test: [] }, { Test: ['CMD'] }, { Test: ['CMD', 'a\0b'] }]
  for (const each of [...none, { Test: 'true' }, { Test: ['CMD', 'x'], Retries: -1 }, 7])
    expect(read(each), JSON.stringify(each)).toBe(undefined)
})
