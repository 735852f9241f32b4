import { expect, test } from 'vitest'
import { formatOf, whyNot } from '../../../app/_builds/upload-source.ts'
import { maxUploadBytes } from '../../../platform/model/builds.ts'

test.each([
  ['app.zip', 'zip'],
  ['App.ZIP', 'zip'],
  ['app.tar.gz', 'tar.gz'],
  ['app.tgz', 'tar.gz'],
  ['app.tar', 'tar'],
  ['app.gz', null],
  ['app.rar', null],
  ['zip', null],
])('%s is sent as %s', (name, format) => {
  expect(formatOf(name)).toBe(format)
})

test('what would be refused is not sent', () => {
  expect(whyNot({ name: 'app.zip', size: 1 })).toBeNull()
  expect(whyNot({ name: 'app.rar', size: 1 })).toBe('format')
  expect(whyNot({ name: 'app.zip', size: 0 })).toBe('empty')
  expect(whyNot({ name: 'app.zip', size: maxUploadBytes + 1 })).toBe('tooLarge')
})
