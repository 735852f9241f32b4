/**
 * gzip at twice zlib's speed, by Intel's libisal (Debian: libisal2) where it is installed. Only for a process that has
 * given up what it could harm: what it inflates is a stranger's, and this is C. Source: igzip_lib.h of ISA-L 2.30; what
 * lies behind the fields that are used here is the library's own.
 */
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import koffi from 'koffi'
import { EngineError } from '../errors.ts'

/** More than the library's own struct inflate_state, which has 87,368. */
const stateBytes = 131_072
/** Where fields of struct inflate_state lie, on every 64-bit Linux. */
const at = { nextOut: 0, availOut: 8, nextIn: 16, availIn: 32, blockState: 21_160, crcFlag: 21_172 }
const blockFinish = 5
const gzipWithHeader = 1
const outputBytes = 1 << 20

interface Library {
  init(state: Buffer): void
  reset(state: Buffer): void
  inflate(state: Buffer): Promise<number>
}

const library = load()

function load(): Library | null {
  if (!['x64', 'arm64'].includes(process.arch)) return null
  try {
    const isal = koffi.load('libisal.so.2')
    const inflate = isal.func('int isal_inflate(void*)')
    const init = isal.func('void isal_inflate_init(void*)')
    if (!isUnderstood(init, inflate)) return null
    return {
      init,
      reset: isal.func('void isal_inflate_reset(void*)'),
      inflate: promisify((state: Buffer, done: (error: Error | null, result: number) => void) =>
        inflate.async(state, done),
      ),
    }
  } catch {
    return null
  }
}

/** Whether this library's fields lie where we think: one that is built otherwise must not be used, however it is named. */
function isUnderstood(init: (state: Buffer) => void, inflate: (state: Buffer) => number): boolean {
  const text = Buffer.from('where every field lies')
  const [packed, output, state] = [gzipSync(text), Buffer.alloc(64), Buffer.alloc(stateBytes)]
  init(state)
  state.writeUInt32LE(gzipWithHeader, at.crcFlag)
  state.writeBigUInt64LE(koffi.address(packed), at.nextIn)
  state.writeUInt32LE(packed.length, at.availIn)
  state.writeBigUInt64LE(koffi.address(output), at.nextOut)
  state.writeUInt32LE(output.length, at.availOut)
  return (
    inflate(state) === 0 &&
    state.readUInt32LE(at.blockState) === blockFinish &&
    state.readUInt32LE(at.availIn) === 0 &&
    output.length - state.readUInt32LE(at.availOut) === text.length &&
    output.subarray(0, text.length).equals(text)
  )
}

/** Whether `inflateGzip` can be used on this host. */
export const hasIsal = library !== null

/**
 * Inflates one gzip member or several, as gunzip does, one buffer ahead of the caller on another thread. What is yielded
 * is overwritten when the caller has asked for the next but one. Throws corrupt.
 */
export async function* inflateGzip(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (library === null) throw new EngineError('unsupported', 'libisal is not installed')
  const fill = createInflater(library, packed)
  const outputs = [Buffer.allocUnsafeSlow(outputBytes), Buffer.allocUnsafeSlow(outputBytes)] as const
  let isFirst = true
  let ahead = fill(outputs[0])
  for (;;) {
    const { bytes, isOver } = await ahead
    const output = outputs[isFirst ? 0 : 1]
    isFirst = !isFirst
    if (!isOver) {
      ahead = fill(outputs[isFirst ? 0 : 1])
      // Told when it is asked for, if ever.
      ahead.catch(() => {})
    }
    yield output.subarray(0, bytes)
    if (isOver) return
  }
}

function createInflater({ init, reset, inflate }: Library, packed: AsyncIterable<Buffer>) {
  const state = Buffer.alloc(stateBytes)
  const chunks = packed[Symbol.asyncIterator]()
  let input: Buffer = Buffer.alloc(0)
  let hasEnded = false
  init(state)
  state.writeUInt32LE(gzipWithHeader, at.crcFlag)

  const inputLeft = () => state.readUInt32LE(at.availIn)
  const room = () => state.readUInt32LE(at.availOut)
  const isFinished = () => state.readUInt32LE(at.blockState) === blockFinish

  async function needInput(): Promise<void> {
    while (inputLeft() === 0 && !hasEnded) {
      const next = await chunks.next()
      if (next.done) hasEnded = true
      else {
        input = next.value
        point(at.nextIn, input, at.availIn)
      }
    }
  }

  function point(field: number, buffer: Buffer, length: number): void {
    state.writeBigUInt64LE(buffer.length === 0 ? 0n : koffi.address(buffer), field)
    state.writeUInt32LE(buffer.length, length)
  }

  /** Whether another member follows; zeros behind the last one are padding. */
  async function beginNext(): Promise<boolean> {
    await needInput()
    const left = inputLeft()
    if (left === 0 || input[input.length - left] === 0) return false
    const keep = input.subarray(input.length - left)
    reset(state)
    state.writeUInt32LE(gzipWithHeader, at.crcFlag)
    input = keep
    point(at.nextIn, input, at.availIn)
    return true
  }

  return async function fill(output: Buffer): Promise<{ bytes: number; isOver: boolean }> {
    point(at.nextOut, output, at.availOut)
    while (room() > 0) {
      await needInput()
      const before = room()
      const result = await inflate(state)
      if (result < 0) throw new EngineError('corrupt', `it cannot be decompressed (libisal says ${result})`)
      if (isFinished()) {
        if (await beginNext()) {
          point(at.nextOut, output.subarray(output.length - room()), at.availOut)
          continue
        }
        return { bytes: output.length - room(), isOver: true }
      }
      if (hasEnded && inputLeft() === 0 && room() === before)
        throw new EngineError('corrupt', 'it cannot be decompressed (unexpected end of file)')
    }
    return { bytes: output.length - room(), isOver: false }
  }
}
