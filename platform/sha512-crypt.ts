import { createHash, randomBytes } from 'node:crypto'

/** 6 bits each, as crypt(5) writes them. */
const digits = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const saltLength = 16
/** The edge computes it with every request, so it may take a millisecond and no more. It is the least that there is. */
const usualRounds = 1_000

/** A password as HAProxy's user lists hold it: crypt(5), method 6. Source: akkadia.org/drepper/SHA-crypt.txt */
export function sha512Crypt(
  password: string,
  salt = saltOf(randomBytes(saltLength)),
  rounds = usualRounds,
): string {
  const word = Buffer.from(password)
  const grain = Buffer.from(salt)
  const b = sha512(word, grain, word)
  const parts = [word, grain, stretch(b, word.length)]
  for (let left = word.length; left > 0; left >>= 1) parts.push((left & 1) === 1 ? b : word)
  let a = sha512(...parts)
  const p = stretch(sha512(...Array<Buffer>(word.length).fill(word)), word.length)
  const s = stretch(sha512(...Array<Buffer>(16 + (a[0] ?? 0)).fill(grain)), grain.length)
  for (let round = 0; round < rounds; round++) {
    const isOdd = round % 2 === 1
    a = sha512(isOdd ? p : a, ...(round % 3 === 0 ? [] : [s]), ...(round % 7 === 0 ? [] : [p]), isOdd ? a : p)
  }
  return `$6$rounds=${rounds}$${salt}$${encoded(a)}`
}

function sha512(...parts: Buffer[]): Buffer {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** Again and again, to this length. */
function stretch(bytes: Buffer, length: number): Buffer {
  return Buffer.alloc(length, bytes)
}

function saltOf(bytes: Buffer): string {
  return [...bytes].map((byte) => digits.charAt(byte % 64)).join('')
}

/** Three bytes make four digits, in an order of their own; the last byte makes two. */
function encoded(hash: Buffer): string {
  let text = ''
  for (let group = 0, [x, y, z] = [0, 21, 42]; group < 21; group++) {
    text += group24(hash[x] ?? 0, hash[y] ?? 0, hash[z] ?? 0, 4)
    ;[x, y, z] = [y + 1, z + 1, x + 1]
  }
  return text + group24(0, 0, hash[63] ?? 0, 2)
}

function group24(high: number, middle: number, low: number, count: number): string {
  let bits = (high << 16) | (middle << 8) | low
  let text = ''
  for (let digit = 0; digit < count; digit++, bits >>= 6) text += digits.charAt(bits & 63)
  return text
}
