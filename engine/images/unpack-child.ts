/**
 * Unpacks one layer. Runs in a process of its own (sys/node-child.ts) whose root is the layer's folder, so that whatever
 * an archive says, and whatever it makes of this program, it can reach nothing else. Standard input is the compressed
 * layer; one message says what happened.
 */
import fs from 'node:fs'
import { flushCompileCache } from 'node:module'
import { promisify } from 'node:util'
import { EngineError, type EngineErrorKind, isEngineError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import { enterRoot, keepCapabilities } from '../sys/confine.ts'
import { diskFull, isDiskFull, spaceLeft } from '../sys/disk.ts'
import { allowOnly } from '../sys/seccomp-filter.ts'
import { createSha256 } from '../sys/sha256.ts'
import { decompressFast } from './decompress.ts'
import { createLayerWriter, type Findings, type LayerWriter } from './layer-writer.ts'
import { createTarReader } from './tar-reader.ts'
import { unpackCalls } from './unpack-calls.ts'

export interface UnpackRequest {
  root: string
  /** Mount namespace of who asks. */
  outside: string
  diffId: Digest
  maxBytes: number
  maxEntries: number
}

/** How many bytes of standard input can be read by now; whether that is all there will be, which then ends it. */
export interface Came {
  bytes: number
  isAll: boolean
}

/** Said on the way: it wrote many small files. */
export interface ManySmallFiles {
  manySmallFiles: true
}

export type UnpackAnswer = ({ ok: true } & Findings) | { ok: false; kind: EngineErrorKind; message: string }

/** chown, dac_override, fowner, fsetid, setfcap: to make any tree of files. Source: capabilities(7). */
const capabilities = [0, 1, 3, 4, 31]
const chunkBytes = 1 << 20
const bytesBetweenLooks = 64 * 2 ** 20
const entriesBetweenLooks = 10_000

const arriving = createArriving()
process.once('message', (request: UnpackRequest) => {
  process.on('message', arriving.tell)
  unpack(request)
    .then((findings): UnpackAnswer => ({ ok: true, ...findings }), whatFailed)
    .then((answer) => process.send?.(answer, () => process.exit(answer.ok ? 0 : 1)))
})
process.once('disconnect', () => process.exit(1))

async function unpack(request: UnpackRequest): Promise<Findings> {
  const { root, outside, diffId, maxBytes } = request
  process.umask(0)
  // While the folder that keeps it can be reached.
  flushCompileCache()
  enterRoot(root, outside)
  keepCapabilities(capabilities)
  allowOnly(unpackCalls)
  const say: ManySmallFiles = { manySmallFiles: true }
  const writer = createLayerWriter(() => void process.send?.(say))
  const reader = createTarReader(limited(writer, request))
  const hash = createSha256()
  let seen = 0
  for await (const chunk of decompressFast(arriving.chunks())) {
    seen += chunk.length
    if (seen > maxBytes)
      throw new EngineError('limit-exceeded', `what it unpacks to is larger than ${maxBytes} bytes`)
    const hashed = hash.update(chunk)
    reader.push(chunk)
    await hashed
  }
  reader.end()
  const found = `sha256:${hash.hex()}`
  if (found !== diffId)
    throw new EngineError('corrupt', `what it unpacks to is not what its digest says: it is ${found}`)
  return writer.finish()
}

/** Standard input, never further than we were told that it is there. */
function createArriving() {
  let came: Came = { bytes: 0, isAll: false }
  let news = Promise.withResolvers<void>()
  const read = promisify(fs.read)

  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; ; ) {
      const { bytes, isAll } = came
      const length = isAll ? chunkBytes : Math.min(chunkBytes, bytes - at)
      if (length <= 0) {
        await news.promise
        news = Promise.withResolvers()
        continue
      }
      const { bytesRead, buffer } = await read(0, Buffer.allocUnsafe(length), 0, length, null)
      if (bytesRead > 0) yield buffer.subarray(0, bytesRead)
      else if (isAll) return
      else throw new EngineError('internal', 'less of it can be read than was said')
      at += bytesRead
    }
  }

  return {
    chunks,
    tell(said: Came) {
      came = said
      news.resolve()
    },
  }
}

/** The writer behind the limits, and a look now and then whether the disk still has room for what comes next. */
function limited(
  writer: LayerWriter,
  { maxBytes, maxEntries }: UnpackRequest,
): Pick<LayerWriter, 'begin' | 'content' | 'end'> {
  let entries = 0
  let bytesUntilLook = 0
  let entriesUntilLook = 0
  return {
    ...writer,
    begin(entry) {
      if (++entries > maxEntries)
        throw new EngineError('limit-exceeded', `it has more than ${maxEntries} entries`)
      if (entry.sizeBytes > maxBytes)
        throw new EngineError('limit-exceeded', `it unpacks to more than ${maxBytes} bytes`)
      bytesUntilLook -= entry.sizeBytes
      if (bytesUntilLook <= 0 || --entriesUntilLook <= 0) {
        if (entry.sizeBytes > spaceLeft('/')) throw diskFull('it')
        bytesUntilLook = bytesBetweenLooks
        entriesUntilLook = entriesBetweenLooks
      }
      writer.begin(entry)
    },
  }
}

/** Names that no file system takes, entries that contradict one another, and the like: the archive's fault. */
const contradictions = ['EEXIST', 'EISDIR', 'ELOOP', 'EMLINK', 'ENAMETOOLONG', 'ENOENT', 'ENOTDIR', 'EPERM']

function whatFailed(error: unknown): UnpackAnswer {
  const says = (kind: EngineErrorKind, message: string): UnpackAnswer => ({ ok: false, kind, message })
  if (isDiskFull(error)) return says('disk-full', diskFull('it').message)
  if (isEngineError(error)) return says(error.kind, error.message)
  if (!(error instanceof Error)) return says('internal', String(error))
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ERR_MEMORY_ALLOCATION_FAILED')
    return says('limit-exceeded', 'it takes more memory than it may')
  if (code?.startsWith('Z')) return says('corrupt', `it cannot be decompressed (${error.message})`)
  if (code && contradictions.includes(code))
    return says('corrupt', `its entries contradict each other (${error.message})`)
  return says('internal', error.message)
}
