import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { needsReseal, parseKeyring, randomText, sameSecret, seal, unseal } from '../../platform/secrets.ts'

const key = () => randomBytes(32).toString('base64')
const first = key()
const ring = parseKeyring(JSON.stringify({ current: 'k1', keys: { k1: first } }))

test('a sealed value opens to what it was, and no two look alike', () => {
  for (const text of ['', 'postgres://u:p@h/db', '密码🔑', 'x'.repeat(32_768)]) {
    const sealed = seal(ring, text, 'app:app_1:A')
    expect(unseal(ring, sealed, 'app:app_1:A')).toBe(text)
    expect(sealed).toMatch(/^v1:k1:[\w-]{16}:[\w-]+$/)
    expect(seal(ring, text, 'app:app_1:A')).not.toBe(sealed)
  }
})

test('a value copied to another place does not open', () => {
  const sealed = seal(ring, 'secret', 'app:app_1:A')
  expect(() => unseal(ring, sealed, 'app:app_2:A')).toThrow("can't be opened")
  expect(() => unseal(ring, sealed, 'app:app_1:B')).toThrow("can't be opened")
})

test('a change of any byte is noticed, and so is a shortened tag', () => {
  const sealed = seal(ring, 'secret', 'c')
  const [version, id, nonce = '', body = ''] = sealed.split(':')
  const flip = (text: string, at: number) => {
    const bytes = Buffer.from(text, 'base64url')
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
    return bytes.toString('base64url')
  }
  const { length } = Buffer.from(body, 'base64url')
  for (let at = 0; at < length; at++) {
    expect(() => unseal(ring, [version, id, nonce, flip(body, at)].join(':'), 'c')).toThrow()
  }
  expect(() => unseal(ring, [version, id, flip(nonce, 0), body].join(':'), 'c')).toThrow()
  const cut = Buffer.from(body, 'base64url').subarray(0, 12).toString('base64url')
  expect(() => unseal(ring, [version, id, nonce, cut].join(':'), 'c')).toThrow()
  expect(() => unseal(ring, 'plain text', 'c')).toThrow('unknown format')
})

test('after a rotation old values open and new ones use the new key', () => {
  const old = seal(ring, 'secret', 'c')
  const rotated = parseKeyring(JSON.stringify({ current: 'k2', keys: { k1: first, k2: key() } }))
  expect(unseal(rotated, old, 'c')).toBe('secret')
  expect(needsReseal(rotated, old)).toBe(true)
  const fresh = seal(rotated, 'secret', 'c')
  expect(fresh.startsWith('v1:k2:')).toBe(true)
  expect(needsReseal(rotated, fresh)).toBe(false)
  expect(() => unseal(ring, fresh, 'c')).toThrow()
})

test('a key file that would not protect anything is refused', () => {
  const short = randomBytes(16).toString('base64')
  expect(() => parseKeyring(JSON.stringify({ current: 'k1', keys: { k1: short } }))).toThrow('16 bytes')
  expect(() => parseKeyring(JSON.stringify({ current: 'k2', keys: { k1: first } }))).toThrow('current key k2')
})

test('random text has the length asked for and letters and digits only', () => {
  const texts = Array.from({ length: 200 }, () => randomText(40))
  for (const text of texts) expect(text).toMatch(/^[A-Za-z0-9]{40}$/)
  expect(new Set(texts).size).toBe(200)
  expect(sameSecret('a', 'a')).toBe(true)
  expect(sameSecret('a', 'ab')).toBe(false)
})
