import { expect, test } from 'vitest'
import { parseManifest } from '../../../engine/oci/manifest.ts'
import { choosePlatform, formatPlatform, parsePlatform } from '../../../engine/oci/platform.ts'
import { amd64Level, hostPlatform } from '../../../engine/sys/host-platform.ts'

const digestOf = (n: number) => `sha256:${String(n).padStart(64, '0')}`

/** An index of these platforms, as JSON would be read; `-` is an entry without one. */
function indexOf(...platforms: string[]) {
  const manifests = platforms.map((text, size) => {
    const [os, architecture, variant] = text.split('/')
    return {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: digestOf(size),
      size,
      ...(text === '-' ? {} : { platform: { os, architecture, variant } }),
    }
  })
  const parsed = parseManifest(Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })), 'it')
  if (parsed.kind !== 'index') throw new Error('no index')
  return parsed.index
}

test.each([
  ['linux/amd64', ['unknown/unknown', 'linux/s390x', 'linux/amd64'], 2],
  ['linux/amd64', ['windows/amd64', 'linux/amd64/v2', 'linux/amd64'], 2],
  ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4'], 1],
  ['linux/amd64/v3', ['linux/amd64/v3', 'linux/amd64'], 0],
  ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6', 'linux/arm64'], 1],
  ['linux/arm/v7', ['linux/arm/v6', 'linux/arm'], 1],
  ['linux/arm/v6', ['linux/arm/v7', 'linux/arm/v5'], 1],
  ['linux/arm64', ['linux/arm/v7', 'linux/arm64'], 1],
  ['linux/arm64/v8', ['linux/arm64'], 0],
  ['linux/amd64', ['linux/amd64', 'linux/amd64'], 0],
  ['linux/amd64', ['-'], 0],
  ['linux/amd64', ['unknown/unknown', '-'], 1],
])('for %s, of %j entry %i is taken', (wanted, offered, expected) => {
  expect(choosePlatform(indexOf(...offered), 'it', parsePlatform(wanted)).size).toBe(expected)
})

test.each([
  ['linux/amd64', ['linux/amd64/v2'], /no image for linux\/amd64, only for linux\/amd64\/v2/],
  ['linux/amd64', ['linux/arm64', 'windows/amd64'], /only for linux\/arm64, windows\/amd64/],
  ['linux/amd64', ['unknown/unknown'], /only for nothing/],
  ['linux/amd64', ['-', '-'], /only for one without a name, one without a name/],
  ['linux/arm64', ['linux/arm/v7'], /only for linux\/arm\/v7/],
])('for %s, %j has nothing, and says what it has', (wanted, offered, sentence) => {
  expect(() => choosePlatform(indexOf(...offered), 'it', parsePlatform(wanted))).toThrow(sentence)
})

test('an attestation that names a real platform is none', () => {
  const index = indexOf('linux/amd64', 'linux/amd64')
  const [first] = index.manifests
  if (first) first.annotations = { 'vnd.docker.reference.type': 'attestation-manifest' }
  expect(choosePlatform(index, 'it', parsePlatform('linux/amd64')).size).toBe(1)
})

test.each([
  ['amd64', 'linux/amd64'],
  ['linux/x86_64', 'linux/amd64'],
  ['linux/aarch64', 'linux/arm64'],
  ['linux/arm', 'linux/arm/v7'],
  ['linux/armel', 'linux/arm/v6'],
  ['Linux/ARM/6', 'linux/arm/v6'],
  ['linux/riscv64', 'linux/riscv64'],
])('%s is %s', (text, whole) => {
  expect(formatPlatform(parsePlatform(text))).toBe(whole)
})

test.each(['', 'a/b/c/d', 'linux/', 'linux/am d64'])('%j is no platform', (text) => {
  expect(() => parsePlatform(text)).toThrow(/is not a platform/)
})

test('the level of a processor is that of all its flags', () => {
  const v2 = ['cx16', 'lahf_lm', 'popcnt', 'pni', 'sse4_1', 'sse4_2', 'ssse3']
  const v3 = ['avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe', 'xsave']
  expect(amd64Level(new Set())).toBe('v1')
  expect(amd64Level(new Set(v2))).toBe('v2')
  expect(amd64Level(new Set(v3))).toBe('v1')
  expect(amd64Level(new Set([...v2, ...v3]))).toBe('v3')
})

test('this machine is one that images are made for', () => {
  expect(formatPlatform(hostPlatform())).toMatch(/^linux\/(amd64\/v[1-4]|arm64|arm\/v\d|\w+)$/)
})
