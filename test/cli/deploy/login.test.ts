import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findLogin, forgetLogin, keepLogin, loginFile, originOf } from '../../../cli/client.ts'

let folder: string
let environment: Record<string, string>

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-test-login-'))
  environment = { XDG_CONFIG_HOME: folder }
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const kept = { url: 'https://berth.example.org', token: 'kept' }

test('a token is kept for its user alone, also over a file that others could read', () => {
  const file = loginFile(environment)
  keepLogin({ ...kept, token: 'first' }, file)
  writeFileSync(`${file}.new`, '', { mode: 0o666 })
  keepLogin(kept, file)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(findLogin({}, environment)).toEqual(kept)
  expect(forgetLogin(file)).toBe(true)
  expect(forgetLogin(file)).toBe(false)
  expect(() => findLogin({}, environment)).toThrow('berth login')
})

test('the environment comes first, and a kept token goes to the address that it was kept for only', () => {
  keepLogin(kept, loginFile(environment))
  const own = { ...environment, BERTH_URL: 'http://localhost:7080', BERTH_TOKEN: 'own' }
  expect(findLogin({}, own)).toEqual({ url: 'http://localhost:7080', token: 'own' })
  expect(findLogin({ url: 'berth.example.org' }, environment)).toEqual(kept)
  expect(() => findLogin({ url: 'https://evil.example' }, environment)).toThrow('There is no token for')
  expect(() => findLogin({}, { ...environment, BERTH_URL: 'https://evil.example' })).toThrow('no token')
})

test('what is no address is refused, and a broken file is told of', () => {
  expect(originOf('https://a.example/team/x')).toBe('https://a.example')
  for (const bad of ['ftp://a', 'https://user:secret@a.example', 'http://'])
    expect(() => originOf(bad), bad).toThrow('no address')
  keepLogin(kept, loginFile(environment))
  writeFileSync(loginFile(environment), '{')
  expect(() => findLogin({}, environment)).toThrow("can't be read")
  expect(readFileSync(loginFile(environment), 'utf8')).toBe('{')
})
