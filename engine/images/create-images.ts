/** The image store: what was pulled, what it is made of, and what may go. */
import { join } from 'node:path'
import { type ContentStore, createContentStore } from '../content/store.ts'
import type { EngineOptions } from '../engine.ts'
import { EngineError } from '../errors.ts'
import { isDigest } from '../oci/digest.ts'
import { formatReference, parseReference } from '../oci/reference.ts'
import { createRegistryClient } from '../registry/client.ts'
import type { State } from '../state/database.ts'
import { inTransaction } from '../state/migrations.ts'
import type { Image, Images } from './images.ts'
import { createLayerStore, type LayerStore } from './layer-store.ts'
import { createLeases } from './leases.ts'
import { type PulledImage, pullImage } from './pull.ts'
import { createShared } from './shared-work.ts'

export interface ImagesOptions {
  stateDir: string
  state: State
  registries?: EngineOptions['registries']
  /** Whether a container still needs the image of this digest. */
  isInUse?: (digest: string) => boolean
}

/** Opens the store under `stateDir`; what an earlier process was cut off from is swept or can be gone on with. */
export async function createImages(options: ImagesOptions): Promise<Images & { close(): Promise<void> }> {
  const { stateDir, state } = options
  const content: ContentStore = await createContentStore(join(stateDir, 'content'))
  const layers: LayerStore = await createLayerStore(stateDir, state)
  const client = createRegistryClient(options.registries)
  const closing = new AbortController()
  const pulls = createShared<Image>(closing.signal)
  const leases = createLeases(({ folder }) => layers.discard(folder))
  await collect()

  const lookUp = (key: string): Image | null => {
    const digest = isDigest(key)
      ? key
      : state.db.prepare('SELECT digest FROM image_references WHERE reference = ?').get(normal(key))?.digest
    const row =
      digest === undefined ? undefined : state.db.prepare('SELECT * FROM images WHERE digest = ?').get(digest)
    return row ? imageOf(row) : null
  }

  function imageOf(row: Record<string, unknown>): Image {
    const digest = String(row.digest)
    return {
      digest,
      references: state.db
        .prepare('SELECT reference FROM image_references WHERE digest = ? ORDER BY reference')
        .all(digest)
        .map((reference) => String(reference.reference)),
      config: JSON.parse(String(row.config)),
      layers: JSON.parse(String(row.layers)),
      sizeBytes: Number(row.size_bytes),
      createdAt: row.created_at === null ? null : String(row.created_at),
    }
  }

  function record(reference: string, pulled: PulledImage): Image {
    inTransaction(state.db, () => {
      state.db
        .prepare(
          'INSERT OR IGNORE INTO images (digest, config, layers, blobs, size_bytes, created_at) VALUES (?, ?, ?, ?, ?, ?)',
        )
        .run(
          pulled.digest,
          JSON.stringify(pulled.config),
          JSON.stringify(pulled.layers),
          JSON.stringify(pulled.blobs),
          pulled.sizeBytes,
          pulled.createdAt,
        )
      state.db
        .prepare(
          'INSERT INTO image_references (reference, digest) VALUES (?, ?) ON CONFLICT (reference) DO UPDATE SET digest = excluded.digest',
        )
        .run(reference, pulled.digest)
    })
    const image = lookUp(pulled.digest)
    if (!image) throw new EngineError('internal', `image ${pulled.digest} was not recorded`)
    return image
  }

  /** Removes the layers that no image and no pull needs. */
  async function collect(): Promise<void> {
    const needed = 'SELECT value FROM images, json_each(images.layers)'
    const unneeded = state.db.prepare(`SELECT diff_id FROM layers WHERE diff_id NOT IN (${needed})`)
    const isNeeded = state.db.prepare(`SELECT 1 WHERE ? IN (${needed})`)
    for (const row of unneeded.all()) {
      const diffId = String(row.diff_id)
      await leases.takeTurn(diffId, undefined, async () => {
        // Looked at again in our turn, and the layer's row goes before anything else can happen.
        if (isNeeded.get(diffId) === undefined && !leases.isHeld(diffId)) await layers.remove(diffId)
      })
    }
  }

  return {
    async pull(text, { credentials, onProgress, signal } = {}) {
      const reference = parseReference(text)
      const key = JSON.stringify([formatReference(reference), credentials ?? null])
      return pulls.join(key, signal, onProgress, async (workSignal, report) => {
        return pullImage({
          reference,
          client,
          content,
          layers,
          leases,
          known: lookUp,
          record: (pulled) => record(formatReference(reference), pulled),
          credentials,
          onProgress: report,
          signal: workSignal,
        })
      })
    },

    async inspect(key) {
      const image = lookUp(key)
      if (!image) throw new EngineError('not-found', `image ${key} is not on this host`)
      return image
    },

    list: async () => state.db.prepare('SELECT * FROM images ORDER BY digest').all().map(imageOf),

    async remove(digest) {
      if (options.isInUse?.(digest))
        throw new EngineError(
          'failed-precondition',
          `image ${digest} is used by a container: remove that first`,
        )
      state.db.prepare('DELETE FROM images WHERE digest = ?').run(digest)
      await collect()
    },

    async close() {
      closing.abort(new EngineError('canceled', 'the engine is closing'))
      await pulls.settled()
    },
  }
}

function normal(text: string): string {
  return formatReference(parseReference(text))
}
