/** Signatures of messages with a key that both sides know: TSIG, RFC 8945. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { DynamicUpdate } from '../../model/record-setter.ts'
import { type Answer, classes, readName, types, u16, wireName } from './message.ts'

export type TsigKey = Pick<DynamicUpdate, 'keyName' | 'algorithm' | 'secret'>

/** How many seconds clocks may differ. */
const fudge = 300

/** The message with its signature behind it, and the code that the answer's signature refers to. */
export function sign(
  message: Buffer,
  key: TsigKey,
  nowSeconds = Math.floor(Date.now() / 1_000),
): { signed: Buffer; mac: Buffer } {
  const time = timeOf(nowSeconds)
  const mac = hmac(key, message, variables(key, time, u16(fudge), 0, Buffer.alloc(0)))
  const id = message.readUInt16BE(0)
  const data = Buffer.concat([...[wireName(key.algorithm), time, u16(fudge, mac.length), mac], u16(id, 0, 0)])
  const record = Buffer.concat([
    ...[wireName(key.keyName), u16(types.tsig, classes.any, 0, 0, data.length)],
    data,
  ])
  const signed = Buffer.concat([message, record])
  signed.writeUInt16BE(message.readUInt16BE(10) + 1, 10)
  return { signed, mac }
}

/** Whether who holds the key wrote this answer to that request; and what it found wrong with ours, 0 for nothing. */
export function checkSignature(
  bytes: Buffer,
  { records }: Answer,
  key: TsigKey,
  requestMac: Buffer,
): { isRight: boolean; error: number } {
  const last = records.at(-1)
  if (last?.type !== types.tsig) return { isRight: false, error: 0 }
  const { data } = last
  const { name: algorithm, next } = readName(data, 0)
  const time = data.subarray(next, next + 6)
  const given = data.subarray(next + 10, next + 10 + data.readUInt16BE(next + 8))
  const rest = next + 10 + given.length
  const error = data.readUInt16BE(rest + 2)
  const other = data.subarray(rest + 6, rest + 6 + data.readUInt16BE(rest + 4))
  if (last.name !== key.keyName || algorithm !== key.algorithm) return { isRight: false, error }
  const message = Buffer.from(bytes.subarray(0, last.start))
  message.writeUInt16BE(data.readUInt16BE(rest), 0)
  message.writeUInt16BE(bytes.readUInt16BE(10) - 1, 10)
  const signedTime = data.subarray(next + 6, next + 8)
  const wanted = hmac(
    key,
    Buffer.concat([u16(requestMac.length), requestMac, message]),
    variables(key, time, signedTime, error, other),
  )
  return { isRight: given.length === wanted.length && timingSafeEqual(given, wanted), error }
}

function variables(key: TsigKey, time: Buffer, fudgeBytes: Buffer, error: number, other: Buffer): Buffer {
  return Buffer.concat([
    ...[wireName(key.keyName), u16(classes.any, 0, 0), wireName(key.algorithm)],
    ...[time, fudgeBytes, u16(error, other.length), other],
  ])
}

function hmac({ algorithm, secret }: TsigKey, ...parts: Buffer[]): Buffer {
  const code = createHmac(algorithm.replace('hmac-', ''), Buffer.from(secret, 'base64'))
  for (const part of parts) code.update(part)
  return code.digest()
}

/** 48 bits. */
function timeOf(seconds: number): Buffer {
  const bytes = Buffer.alloc(6)
  bytes.writeUIntBE(seconds, 0, 6)
  return bytes
}
