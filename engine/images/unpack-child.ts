/**
 * Unpacks one layer. Runs in a process of its own whose root is the layer's folder, so that whatever an archive says
 * it can reach nothing else. Standard input is the compressed layer; one message says what happened.
 */
import fs from 'node:fs'
import { pipeline } from 'node:stream/promises'
import tar from 'tar-stream'
import { EngineError, type EngineErrorKind, isEngineError } from '../errors.ts'
import { type Digest, verifyStream } from '../oci/digest.ts'
import { isDiskFull, spaceLeft } from '../sys/disk.ts'
import { enterRoot } from '../sys/syscalls.ts'
import { decompress } from './decompress.ts'
import { createLayerWriter } from './layer-writer.ts'
import { watchAttributes } from './pax.ts'

export interface UnpackRequest {
  root: string
  diffId: Digest
  maxBytes: number
  maxEntries: number
}

export type UnpackAnswer =
  | { ok: true; implied: string[] }
  | { ok: false; kind: EngineErrorKind; message: string }

const bytesBetweenLooks = 64 * 2 ** 20
const entriesBetweenLooks = 10_000

process.once('message', (request: UnpackRequest) => {
  unpack(request)
    .then((implied): UnpackAnswer => ({ ok: true, implied }), whatFailed)
    .then((answer) => process.send?.(answer, () => process.exit(answer.ok ? 0 : 1)))
})
process.once('disconnect', () => process.exit(1))

async function unpack({ root, diffId, maxBytes, maxEntries }: UnpackRequest): Promise<string[]> {
  process.umask(0)
  enterRoot(root)
  const extract = tar.extract()
  const takeAttributes = watchAttributes(extract)
  const writer = createLayerWriter()
  const blob = fs.createReadStream('', { fd: 0, highWaterMark: 1 << 20 })
  const plain = await decompress(blob)
  const verified = verifyStream(diffId, 'what it unpacks to', maxBytes)
  let broken: unknown
  for (const stream of [blob, plain, verified]) stream.once('error', (error: unknown) => (broken ??= error))
  const read = pipeline(blob, plain, verified, extract)
  read.catch(() => {})
  try {
    let entries = 0
    const keepRoom = roomKeeper()
    for await (const entry of extract) {
      if (++entries > maxEntries)
        throw new EngineError('limit-exceeded', `it has more than ${maxEntries} entries`)
      const size = entry.header.size ?? 0
      if (size > maxBytes)
        throw new EngineError('limit-exceeded', `it unpacks to more than ${maxBytes} bytes`)
      keepRoom(size)
      await writer.put(entry.header, takeAttributes(), entry as AsyncIterable<Buffer>)
      entry.resume()
    }
    await read
  } catch (error) {
    // Of a stream that failed the loop only sees that it broke off.
    const reason = broken ?? error
    extract.destroy()
    throw reason
  }
  return writer.finish()
}

/** Looks now and then whether the disk still has room for what comes next. */
function roomKeeper(): (comingBytes: number) => void {
  let bytes = 0
  let entries = 0
  return (comingBytes) => {
    bytes -= comingBytes
    if (bytes > 0 && --entries > 0) return
    if (comingBytes > spaceLeft('/')) throw diskFull()
    bytes = bytesBetweenLooks
    entries = entriesBetweenLooks
  }
}

const diskFull = () => new EngineError('failed-precondition', 'the disk has no room for it: free some')

/** Names that no file system takes, entries that contradict one another, and the like: the archive's fault. */
const contradictions = ['EEXIST', 'EISDIR', 'ELOOP', 'EMLINK', 'ENAMETOOLONG', 'ENOENT', 'ENOTDIR', 'EPERM']

function whatFailed(error: unknown): UnpackAnswer {
  const says = (kind: EngineErrorKind, message: string): UnpackAnswer => ({ ok: false, kind, message })
  if (isDiskFull(error)) return says('failed-precondition', diskFull().message)
  if (isEngineError(error)) return says(error.kind, error.message)
  if (!(error instanceof Error)) return says('internal', String(error))
  const code = (error as NodeJS.ErrnoException).code
  if (code?.startsWith('Z')) return says('corrupt', `it cannot be decompressed (${error.message})`)
  if (code && contradictions.includes(code))
    return says('corrupt', `its entries contradict each other (${error.message})`)
  // The parser's errors are plain ones.
  if (!code && error.constructor === Error)
    return says('corrupt', `it is not a tar archive (${error.message})`)
  return says('internal', error.message)
}
