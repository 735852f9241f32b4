import { expect, test } from 'vitest'
import { localeFromHeader } from '../../../app/_i18n/locales.ts'
import { formatBytes, formatDuration, formatTook, nameOfImage, shortDigest } from '../../../app/_ui/format.ts'

test('bytes are shown in the largest unit that leaves a whole number', () => {
  expect(
    [0, 1_023, 1_536, 1_048_576, 357 * 2 ** 20, 3 * 2 ** 30].map((size) => formatBytes(size, 'en')),
  ).toEqual(['0 B', '1,023 B', '1.5 KiB', '1 MiB', '357 MiB', '3 GiB'])
})

test('durations are short, and in the language', () => {
  expect([-5, 1_240, 59_999, 60_000, 125_000, 3_720_000].map((ms) => formatDuration(ms, 'en'))).toEqual([
    '0.0s',
    '1.2s',
    '59s',
    '1m',
    '2m 5s',
    '1h 2m',
  ])
  expect(formatDuration(125_000, 'zh-CN')).toBe('2分钟5秒')
  expect([-5, 43, 100, 1_240].map((ms) => formatTook(ms, 'en'))).toEqual(['0ms', '43ms', '0.1s', '1.2s'])
})

test('an app is called after its image', () => {
  const images = [
    'nginx',
    'nginx:1.27',
    'ghcr.io/org/api:1',
    'localhost:5000/team/web',
    'a/b@sha256:0123',
    '',
  ]
  expect(images.map(nameOfImage)).toEqual(['nginx', 'nginx', 'api', 'web', 'b', ''])
  expect(shortDigest('sha256:0123456789abcdef')).toBe('0123456789ab')
})

test('the browser’s first language that we speak is taken', () => {
  expect(localeFromHeader('de-DE,zh-TW;q=0.6,en;q=0.5')).toBe('zh-CN')
  expect(localeFromHeader('zh;q=0.2, en-GB')).toBe('en')
  expect(localeFromHeader('zh;q=0, fr')).toBe('en')
  expect(localeFromHeader(null)).toBe('en')
})
