import { dirname, join } from 'node:path'
import { EngineError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import { mountNamespace } from '../sys/confine.ts'
import { endNodeChild, startNodeChild } from '../sys/node-child.ts'
import type { Findings } from './layer-writer.ts'
import type { Came, ManySmallFiles, UnpackAnswer, UnpackRequest } from './unpack-child.ts'

const usual = {
  maxBytes: 64 * 2 ** 30,
  maxEntries: 2_000_000,
  /** Called each time that many small files were written. */
  onManySmallFiles: (): void => {},
}
const maxHeapMegabytes = 512
/** A gigabyte takes about seven. */
const maxCpuSeconds = 1_800

/** A packed layer, and how much of it is there by now. */
export interface PackedLayer {
  /** Its file, at its start. Not needed any more once the process runs. */
  fd: number
  /** Left out where all of it is there. Calls `listener` with what is, and again whenever there is more. */
  watch?: (listener: (came: Came) => void) => void
}

/**
 * Unpacks a compressed layer into an empty folder of our own and checks that it is what its diffID says, all in a
 * process that can reach nothing but that folder. It begins with what is there of the layer and goes on as more comes. Answers with what is left to do once the layers below are known.
 * Throws corrupt, limit-exceeded, and disk-full.
 */
export async function unpackLayer(
  blob: PackedLayer,
  diffId: Digest,
  folder: string,
  signal?: AbortSignal,
  options: Partial<typeof usual> = {},
): Promise<Findings> {
  const { maxBytes, maxEntries, onManySmallFiles } = { ...usual, ...options }
  signal?.throwIfAborted()
  const child = await startNodeChild(new URL('./unpack-child.ts', import.meta.url), {
    inputFd: blob.fd,
    maxHeapMegabytes,
    maxFileBytes: maxBytes,
    maxCpuSeconds,
    codeCache: join(dirname(dirname(folder)), 'code-cache'),
    signal,
  })
  let stderr = ''
  let failure = ''
  child.stderr?.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-4_096)
  })
  const closed = new Promise((resolve) => child.once('close', resolve))
  const answered = new Promise<UnpackAnswer | null>((resolve) => {
    child.on('message', (message: UnpackAnswer | ManySmallFiles) => {
      if ('manySmallFiles' in message) onManySmallFiles()
      else resolve(message)
    })
    // Only then is all read that it said: what is told to one that has just answered fails before the answer is seen.
    child.once('close', () => resolve(null))
    // It did not start, or something did not reach it: it may say so more than once.
    child.on('error', ({ message }) => {
      failure ||= message
    })
  })
  const request: UnpackRequest = { root: folder, outside: mountNamespace(), diffId, maxBytes, maxEntries }
  child.send(request)
  const tell = (came: Came) => void (child.connected && child.send(came))
  if (blob.watch) blob.watch(tell)
  else tell({ bytes: 0, isAll: true })
  try {
    const answer = await answered
    signal?.throwIfAborted()
    if (answer?.ok) {
      const { implied, opaque, links } = answer
      return { implied, opaque, links }
    }
    const failed = `layer ${diffId} cannot be unpacked`
    if (answer) throw new EngineError(answer.kind, `${failed}: ${answer.message}`)
    if (/out of memory/i.test(stderr))
      throw new EngineError(
        'limit-exceeded',
        `${failed}: it takes more memory than the ${maxHeapMegabytes} MB that it may`,
      )
    if (child.signalCode === 'SIGXCPU' || child.signalCode === 'SIGKILL')
      throw new EngineError(
        'limit-exceeded',
        `${failed}: it takes more than ${maxCpuSeconds} s of the processor, or more memory than this host has`,
      )
    throw new EngineError('internal', `${failed}: the process ended early: ${stderr.trim() || failure}`)
  } finally {
    endNodeChild(child)
    // Not `exit`: what it was started through may end a moment before it does.
    await closed
  }
}
