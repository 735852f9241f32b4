/**
 * Who may use what is on this host. Content is shared by digest, and a digest is no secret: a manifest that names the
 * layers of another tenant proves nothing. So for a realm (a tenant, to whoever uses the engine) only that counts which a
 * registry gave for it, byte for byte, once: the documents of an image, and each packed layer with what it unpacks to.
 * Without a realm, as for the operator, everything here may be used.
 */
import type { Digest } from '../oci/digest.ts'
import type { State } from '../state/database.ts'

/** Null: whoever may use everything. */
export type Realm = string | null

export interface Proofs {
  /** Whether this very image was pulled for the realm. */
  hasImage(realm: Realm, digest: Digest): boolean
  addImage(realm: Realm, digest: Digest): void
  /** Whether the packed layer was fetched for the realm and is known to unpack to this. */
  hasLayer(realm: Realm, blob: Digest, diffId: Digest): boolean
  /** Whether it was for anybody. */
  isPair(blob: Digest, diffId: Digest): boolean
  addLayer(realm: Realm, blob: Digest, diffId: Digest): void
  /** Whether all bytes of an unfinished ingest, if there is one, came for this realm. */
  ownsIngest(realm: Realm, blob: Digest): boolean
  /** To be called before the ingest begins anew, or an operator goes on with it. */
  beginIngest(realm: Realm, blob: Digest): void
  /** Forgets what nobody needs any more. */
  sweep(needed: ReadonlySet<Digest>): void
}

/** A realm is never empty, so this is none. */
const nobody = ''

export function createProofs({ db }: State): Proofs {
  const layerOf = (realm: Realm, blob: Digest, diffId: Digest) =>
    db
      .prepare('SELECT 1 FROM layer_proofs WHERE blob = ? AND diff_id = ? AND realm = ?')
      .get(blob, diffId, realm ?? nobody) !== undefined

  return {
    hasImage: (realm, digest) =>
      realm === null ||
      db.prepare('SELECT 1 FROM image_proofs WHERE digest = ? AND realm = ?').get(digest, realm) !==
        undefined,

    addImage(realm, digest) {
      if (realm !== null)
        db.prepare('INSERT OR IGNORE INTO image_proofs (digest, realm) VALUES (?, ?)').run(digest, realm)
    },

    hasLayer: (realm, blob, diffId) => realm === null || layerOf(realm, blob, diffId),

    isPair: (blob, diffId) =>
      db.prepare('SELECT 1 FROM layer_proofs WHERE blob = ? AND diff_id = ?').get(blob, diffId) !== undefined,

    addLayer: (realm, blob, diffId) =>
      void db
        .prepare('INSERT OR IGNORE INTO layer_proofs (blob, diff_id, realm) VALUES (?, ?, ?)')
        .run(blob, diffId, realm ?? nobody),

    ownsIngest: (realm, blob) =>
      realm === null ||
      db.prepare('SELECT realm FROM ingest_realms WHERE blob = ?').get(blob)?.realm === realm,

    beginIngest: (realm, blob) =>
      void db
        .prepare(
          'INSERT INTO ingest_realms (blob, realm) VALUES (?, ?) ON CONFLICT (blob) DO UPDATE SET realm = excluded.realm',
        )
        .run(blob, realm ?? nobody),

    sweep(needed) {
      for (const [table, column] of [
        ['layer_proofs', 'diff_id'],
        ['ingest_realms', 'blob'],
      ]) {
        const known = db.prepare(`SELECT DISTINCT ${column} AS digest FROM ${table}`).all()
        const forget = db.prepare(`DELETE FROM ${table} WHERE ${column} = ?`)
        for (const { digest } of known) if (!needed.has(String(digest))) forget.run(String(digest))
      }
    },
  }
}
