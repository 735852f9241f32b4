/** A folder as the archive that is sent, packed in the browser by the rules of `berth deploy`. */
import tar, { type Pack } from 'tar-stream'
import { maxUploadBytes } from '@/platform/model/builds.ts'
import { maxSourceBytes, maxSourceFiles, sourceEntries } from '@/platform/model/source-folder.ts'
import type { BrowserFolder } from './browser-folder.ts'
import { CannotSend, type Unsendable } from './upload-source.ts'

export interface PackFolderOptions {
  onProgress(doneBytes: number, totalBytes: number): void
  signal: AbortSignal
}

interface Found {
  path: string
  /** Null: a folder. */
  file: File | null
}

/** Installed again by every build, and often larger than all else. */
const without = ['node_modules']

/** A tar.gz. Throws CannotSend, or the signal's reason. */
export async function packFolder(
  folder: BrowserFolder,
  { onProgress, signal }: PackFolderOptions,
): Promise<File> {
  const found = await list(folder, signal)
  const total = found.reduce((sum, { file }) => sum + (file?.size ?? 0), 0)
  if (total > maxSourceBytes) throw new CannotSend('tooLarge')
  if (found.every(({ file }) => file === null)) throw new CannotSend('nothing')
  const pack = tar.pack()
  let done = 0
  onProgress(0, total)
  const filling = fill(pack, found, signal, (bytes) => {
    done += bytes
    onProgress(done, total)
  }).then(
    () => pack.finalize(),
    (error: Error) => pack.destroy(error),
  )
  const packed = toStream(pack).pipeThrough(new CompressionStream('gzip')).pipeThrough(upTo(maxUploadBytes))
  // The browser keeps what is large on its disk.
  const archive = await new Response(packed).blob().catch((error: unknown) => {
    signal.throwIfAborted()
    throw error
  })
  await filling
  return new File([archive], `${folder.name}.tar.gz`)
}

async function list({ reader }: BrowserFolder, signal: AbortSignal): Promise<Found[]> {
  const found: Found[] = []
  for await (const { path, entry } of sourceEntries(reader, { without })) {
    signal.throwIfAborted()
    const file = entry.isFolder ? null : await entry.file().catch((cause) => fail('unreadable', path, cause))
    found.push({ path, file })
    if (found.length > maxSourceFiles) throw new CannotSend('tooMany')
  }
  return found
}

async function fill(
  pack: Pack,
  found: readonly Found[],
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const mtime = new Date(0)
  for (const { path: name, file } of found) {
    signal.throwIfAborted()
    if (file === null) {
      pack.entry({ name, mtime, mode: 0o755, type: 'directory' })
      continue
    }
    const mode = await modeOf(file).catch((cause) => fail('unreadable', name, cause))
    const entry = pack.entry({ name, mtime, mode, size: file.size })
    // Whoever reads the archive is told.
    entry.on('error', () => undefined)
    const reader = file.stream().getReader()
    for (;;) {
      // A file that changed since it was listed can't be read any more.
      const { value } = await reader.read().catch((cause) => fail('unreadable', name, cause))
      if (value === undefined) break
      onBytes(value.length)
      signal.throwIfAborted()
      if (!entry.write(value)) await untilTaken(entry)
      if (pack.destroyed) return
    }
    entry.end(undefined)
  }
}

/** It takes more, or is closed for good. */
function untilTaken(entry: ReturnType<Pack['entry']>): Promise<void> {
  return new Promise((resume) => {
    entry.once('drain', resume)
    entry.once('close', resume)
  })
}

/** Browsers don't tell who may run a file: scripts and programs may be run. */
async function modeOf(file: File): Promise<number> {
  const [a, b, c, d] = new Uint8Array(await file.slice(0, 4).arrayBuffer())
  const isScript = a === 0x23 && b === 0x21
  const isProgram = a === 0x7f && b === 0x45 && c === 0x4c && d === 0x46
  return isScript || isProgram ? 0o755 : 0o644
}

function toStream(pack: Pack): ReadableStream<Uint8Array<ArrayBuffer>> {
  const chunks = pack[Symbol.asyncIterator]()
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await chunks.next()
      if (done === true) controller.close()
      else controller.enqueue(value as Uint8Array<ArrayBuffer>)
    },
    cancel: () => pack.destroy(),
  })
}

function upTo(limit: number): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.length
      if (bytes > limit) throw new CannotSend('tooLarge')
      controller.enqueue(chunk)
    },
  })
}

function fail(reason: Unsendable, path: string, cause: unknown): never {
  throw new CannotSend(reason, path, { cause })
}
