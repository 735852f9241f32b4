/**
 * Unpacks a layer while its packed bytes still come. Nobody has verified these, which the process that unpacks does not
 * count on; what it makes of them is staged, and counts only once the blob was committed and the diffID was right.
 */
import type { FileHandle } from 'node:fs/promises'
import type { ContentStore, ReadAlong } from '../content/store.ts'
import type { Digest } from '../oci/digest.ts'
import type { StagedLayer } from './held-layers.ts'
import type { LayerStore } from './layer-store.ts'
import { unpackLayer } from './unpack.ts'
import type { Came } from './unpack-child.ts'

export interface UnpackAlong extends ReadAlong {
  /** To be called once the blob is in the store. Throws what `unpackLayer` throws. */
  finish(): Promise<StagedLayer>
  /** Ends what is under way and throws away what it made; no error when there is nothing. */
  abandon(): Promise<void>
}

/** A message for each chunk would cost more than unpacking it. */
const tellEveryBytes = 512 * 1_024

interface Parts {
  content: ContentStore
  layers: LayerStore
  signal: AbortSignal
}

interface Attempt {
  came(news: Came): void
  staged: Promise<StagedLayer>
  stop(): void
}

export function unpackAlong(digest: Digest, diffId: Digest, { content, layers, signal }: Parts): UnpackAlong {
  let attempt: Attempt | null = null
  let told = 0
  /** Attempts that were in vain. */
  const ending: Promise<void>[] = []

  function start(file: FileHandle): Attempt {
    const stop = new AbortController()
    let last: Came = { bytes: 0, isAll: false }
    let listener: ((came: Came) => void) | undefined
    const packed = {
      fd: file.fd,
      watch(listen: (came: Came) => void) {
        listener = listen
        listen(last)
      },
    }
    const unpack = async (): Promise<StagedLayer> => {
      try {
        const folder = await layers.stage(diffId)
        try {
          const ended = AbortSignal.any([signal, stop.signal])
          const findings = await unpackLayer(packed, diffId, folder, ended, {
            onManySmallFiles: layers.syncAhead,
          })
          return { folder, ...findings }
        } catch (error) {
          layers.discard(folder)
          throw error
        }
      } finally {
        await file.close()
      }
    }
    const staged = unpack()
    // Told by `finish`, or nobody cares.
    staged.catch(() => {})
    return {
      staged,
      came(news) {
        last = news
        listener?.(news)
      },
      stop: () => stop.abort(),
    }
  }

  async function end(ended: Attempt): Promise<void> {
    ended.stop()
    const made = await ended.staged.catch(() => null)
    if (made) layers.discard(made.folder)
  }

  return {
    begin(file) {
      if (attempt) ending.push(end(attempt))
      attempt = start(file)
      told = 0
    },
    came(bytes) {
      if (bytes - told < tellEveryBytes) return
      told = bytes
      attempt?.came({ bytes, isAll: false })
    },
    cameWhole: () => attempt?.came({ bytes: 0, isAll: true }),

    async finish() {
      attempt ??= start(await content.open(digest))
      attempt.came({ bytes: 0, isAll: true })
      await Promise.all(ending)
      return attempt.staged
    },

    async abandon() {
      if (attempt) ending.push(end(attempt))
      await Promise.all(ending)
    },
  }
}
