/** The tables of images and their names. Every function is one step: nobody sees, or changes, half of it. */
import { EngineError } from '../errors.ts'
import { type Digest, isDigest } from '../oci/digest.ts'
import { formatReference, parseReference, type Reference } from '../oci/reference.ts'
import type { State } from '../state/database.ts'
import { inTransaction } from '../state/migrations.ts'
import type { Image, ImageConfig } from './images.ts'

/** What there is to know of an image once all of it is on this host. */
export interface CompleteImage {
  digest: Digest
  config: ImageConfig
  /** DiffIDs, lowest first. */
  layers: Digest[]
  /** Digests of the packed layers, in the same order. */
  blobs: Digest[]
  /** Manifest, configuration, and the index through which it was chosen, if any. */
  documents: Digest[]
  /** Of all packed layers. */
  sizeBytes: number
  createdAt: string | null
}

/** Where a blob can be fetched again, and mounted from. */
export type BlobSource = Pick<Reference, 'registry' | 'repository'>

export interface ImageRows {
  /** By digest, by reference, or by the first digits of a digest (four at least). Throws invalid if several match. */
  find(key: string): Image | null
  /** Throws not-found. */
  get(key: string): Image
  all(): Image[]
  /** Records an image, or that it is of use again, and gives it a name that another may have had. */
  record(image: CompleteImage, reference: string | null, source: BlobSource | null): Image
  /** Says that they are of use at this moment. */
  touch(...digests: Digest[]): void
  /** Whether its documents are here: an engine before change 2 kept none. */
  hasDocuments(digest: Digest): boolean
  name(reference: string, digest: Digest): void
  /** False if there was no such name. */
  unname(reference: string): boolean
  /** The image and all of its names. */
  remove(digest: Digest): void
  sources(blob: Digest): BlobSource[]
  addSource(blobs: Digest[], source: BlobSource): void
  /** Digests of everything that an image is made of, each once. */
  contents(digest: Digest): Digest[]
  /** Digests of everything that images and containers are made of, leaving out what only `without` is made of. */
  needed(without?: Digest[]): Digest[]
  forgetSources(blobs: Digest[]): void
}

export function createImageRows({ db, lazily }: State): ImageRows {
  const namesOf = (digest: Digest) =>
    db
      .prepare('SELECT reference FROM image_references WHERE digest = ? ORDER BY reference')
      .all(digest)
      .map((row) => String(row.reference))

  function imageOf(row: Record<string, unknown>): Image {
    const digest = String(row.digest)
    return {
      digest,
      references: namesOf(digest),
      config: JSON.parse(String(row.config)),
      layers: JSON.parse(String(row.layers)),
      blobs: JSON.parse(String(row.blobs)),
      sizeBytes: Number(row.size_bytes),
      createdAt: row.created_at === null ? null : String(row.created_at),
      recordedAt: new Date(Number(row.recorded_at)).toISOString(),
      usedAt: new Date(Number(row.used_at)).toISOString(),
    }
  }

  function byDigest(digest: Digest): Image | null {
    const row = db
      .prepare(
        `SELECT * FROM images WHERE digest = ?1
         UNION SELECT images.* FROM images, json_each(images.documents) WHERE json_each.value = ?1 LIMIT 1`,
      )
      .get(digest)
    return row ? imageOf(row) : null
  }

  function byReference(key: string): Image | null {
    // With a digest, the tag is a comment.
    const reference = parseReference(key)
    if (reference.digest !== null) return byDigest(reference.digest)
    const row = db
      .prepare('SELECT digest FROM image_references WHERE reference = ?')
      .get(formatReference(reference))
    return row ? byDigest(String(row.digest)) : null
  }

  function byPrefix(key: string): Image | null {
    const digits = /^(?:sha256:)?([0-9a-f]{4,64})$/.exec(key)?.[1]
    if (digits === undefined) return null
    const rows = db.prepare('SELECT * FROM images WHERE digest GLOB ? LIMIT 2').all(`sha256:${digits}*`)
    if (rows.length > 1)
      throw new EngineError('invalid', `several images begin with ${digits}: say more digits`)
    return rows[0] ? imageOf(rows[0]) : null
  }

  function find(key: string): Image | null {
    if (isDigest(key)) return byDigest(key)
    if (key.startsWith('sha256:')) return byPrefix(key)
    return byReference(key) ?? byPrefix(key)
  }

  function get(key: string): Image {
    const image = find(key)
    if (image) return image
    throw new EngineError('not-found', `image ${key} is not on this host`)
  }

  const name = (reference: string, digest: Digest) =>
    void db
      .prepare(
        'INSERT INTO image_references (reference, digest) VALUES (?, ?) ON CONFLICT (reference) DO UPDATE SET digest = excluded.digest',
      )
      .run(reference, digest)

  function insertSource(blobs: Digest[], { registry, repository }: BlobSource): void {
    const insert = db.prepare(
      'INSERT OR IGNORE INTO blob_sources (digest, registry, repository) VALUES (?, ?, ?)',
    )
    for (const blob of blobs) insert.run(blob, registry, repository)
  }

  return {
    find,
    get,
    name,
    all: () => db.prepare('SELECT * FROM images ORDER BY digest').all().map(imageOf),

    record(image, reference, source) {
      inTransaction(db, () => {
        db.prepare(
          `INSERT INTO images (digest, config, layers, blobs, documents, size_bytes, created_at, recorded_at, used_at)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)
           ON CONFLICT (digest) DO UPDATE SET used_at = excluded.used_at, blobs = excluded.blobs,
             documents = excluded.documents`,
        ).run(
          image.digest,
          JSON.stringify(image.config),
          JSON.stringify(image.layers),
          JSON.stringify(image.blobs),
          JSON.stringify(image.documents),
          image.sizeBytes,
          image.createdAt,
          Date.now(),
        )
        if (reference !== null) name(reference, image.digest)
        if (source) insertSource(image.blobs, source)
      })
      return get(image.digest)
    },

    touch: (...digests) =>
      // An image is of use, too, because a container is made of it: nobody waits for the disk because of this.
      lazily(
        () =>
          void db
            .prepare('UPDATE images SET used_at = ? WHERE digest IN (SELECT value FROM json_each(?))')
            .run(Date.now(), JSON.stringify(digests)),
      ),

    hasDocuments: (digest) =>
      db.prepare("SELECT 1 FROM images WHERE digest = ? AND documents <> '[]'").get(digest) !== undefined,

    unname: (reference) =>
      db.prepare('DELETE FROM image_references WHERE reference = ?').run(reference).changes > 0,

    remove: (digest) => void db.prepare('DELETE FROM images WHERE digest = ?').run(digest),

    sources: (blob) =>
      db
        .prepare('SELECT registry, repository FROM blob_sources WHERE digest = ?')
        .all(blob)
        .map((row) => ({ registry: String(row.registry), repository: String(row.repository) })),

    contents: (digest) => {
      const row = db.prepare('SELECT layers, blobs, documents FROM images WHERE digest = ?').get(digest)
      const lists = row ? [row.layers, row.blobs, row.documents] : []
      return [...new Set(lists.flatMap((list): Digest[] => JSON.parse(String(list))))]
    },

    needed: (without = []) =>
      db
        .prepare(
          `WITH kept AS (SELECT * FROM images WHERE digest NOT IN (SELECT value FROM json_each(?)))
           SELECT digest FROM kept
           UNION SELECT value FROM kept, json_each(kept.layers)
           UNION SELECT value FROM kept, json_each(kept.blobs)
           UNION SELECT value FROM kept, json_each(kept.documents)
           UNION SELECT value FROM snapshots, json_each(snapshots.layers)`,
        )
        .all(JSON.stringify(without))
        .map((row) => String(row.digest)),

    addSource: (blobs, source) => inTransaction(db, () => insertSource(blobs, source)),

    forgetSources: (blobs) =>
      inTransaction(db, () => {
        const forget = db.prepare('DELETE FROM blob_sources WHERE digest = ?')
        for (const blob of blobs) forget.run(blob)
      }),
  }
}
