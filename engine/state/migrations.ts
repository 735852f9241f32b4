/**
 * The database's tables, as a list of changes. A change is never edited once it has been on a host: what is to be
 * different is a new one at the end. Its place in the list, from 1 on, is its number, and `PRAGMA user_version` is the
 * number of the last one that was made.
 */
import type { DatabaseSync } from 'node:sqlite'
import { EngineError } from '../errors.ts'

export const migrations: readonly string[] = [
  // 1: the tables of the time before changes were numbered, which an older home has already.
  `CREATE TABLE IF NOT EXISTS images (digest TEXT PRIMARY KEY, config TEXT NOT NULL, layers TEXT NOT NULL,
     blobs TEXT NOT NULL, size_bytes INTEGER NOT NULL, created_at TEXT);
   CREATE TABLE IF NOT EXISTS image_references (reference TEXT PRIMARY KEY,
     digest TEXT NOT NULL REFERENCES images(digest) ON DELETE CASCADE);
   CREATE TABLE IF NOT EXISTS layers (number INTEGER PRIMARY KEY AUTOINCREMENT, diff_id TEXT UNIQUE NOT NULL);
   CREATE TABLE IF NOT EXISTS snapshots (key TEXT PRIMARY KEY, layers TEXT NOT NULL);
   CREATE TABLE IF NOT EXISTS containers (id TEXT PRIMARY KEY, image TEXT NOT NULL, spec TEXT NOT NULL,
     status TEXT NOT NULL, wanted INTEGER NOT NULL, pid INTEGER, pid_start TEXT, boot_id TEXT, exit_code INTEGER,
     oom_killed INTEGER NOT NULL, restarts INTEGER NOT NULL, created_at TEXT NOT NULL, started_at TEXT,
     finished_at TEXT);
   CREATE TABLE IF NOT EXISTS networks (seq INTEGER PRIMARY KEY AUTOINCREMENT,
     name TEXT NOT NULL UNIQUE, subnet TEXT);
   CREATE TABLE IF NOT EXISTS places (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
     network TEXT NOT NULL, host INTEGER NOT NULL, names TEXT NOT NULL, UNIQUE (network, host));`,
  // 2: documents are kept, so an image can be pushed as it came; leases; when an image was last of use.
  `ALTER TABLE images ADD COLUMN documents TEXT NOT NULL DEFAULT '[]';
   ALTER TABLE images ADD COLUMN recorded_at INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE images ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;
   UPDATE images SET recorded_at = unixepoch() * 1000, used_at = unixepoch() * 1000;
   ALTER TABLE layers ADD COLUMN size_bytes INTEGER;
   CREATE TABLE leases (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, is_resumable INTEGER NOT NULL);
   CREATE TABLE lease_items (lease TEXT NOT NULL REFERENCES leases(id) ON DELETE CASCADE, digest TEXT NOT NULL,
     PRIMARY KEY (lease, digest)) WITHOUT ROWID;
   CREATE TABLE blob_sources (digest TEXT NOT NULL, registry TEXT NOT NULL, repository TEXT NOT NULL,
     PRIMARY KEY (digest, registry, repository)) WITHOUT ROWID;`,
  // 3: containers have names beside their ids.
  `ALTER TABLE containers ADD COLUMN name TEXT;
   UPDATE containers SET name = id;
   CREATE UNIQUE INDEX containers_name ON containers (name)`,
  // 4: what health checks found; events that can be read later; volumes.
  `ALTER TABLE containers ADD COLUMN health TEXT;
   CREATE TABLE container_events (seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL);
   CREATE TABLE volumes (name TEXT PRIMARY KEY, labels TEXT NOT NULL, id_base INTEGER NOT NULL,
     id_size INTEGER NOT NULL, size_bytes INTEGER, created_at TEXT NOT NULL)`,
  // 5: a container may be on several networks, one place each; a network knows what may leave it, and whose turn is next.
  `ALTER TABLE networks ADD COLUMN egress TEXT NOT NULL DEFAULT '"all"';
   ALTER TABLE networks ADD COLUMN last_host INTEGER NOT NULL DEFAULT 254;
   CREATE TABLE places_on_networks (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, network TEXT NOT NULL,
     host INTEGER NOT NULL, names TEXT NOT NULL, position INTEGER NOT NULL DEFAULT 0,
     attached INTEGER NOT NULL DEFAULT 1, ports TEXT NOT NULL DEFAULT '[]', bandwidth TEXT NOT NULL DEFAULT '{}',
     UNIQUE (id, network), UNIQUE (id, position), UNIQUE (network, host));
   INSERT INTO places_on_networks (seq, id, network, host, names) SELECT seq, id, network, host, names FROM places;
   DROP TABLE places;
   ALTER TABLE places_on_networks RENAME TO places;`,
  // 6: how often a container ended in a row: its next restart waits for as long as if the engine had never been away.
  `ALTER TABLE containers ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;`,
  // 7: how much memory a container needed.
  'ALTER TABLE containers ADD COLUMN memory_peak_bytes INTEGER;',
  // 8: for whom a registry gave what is here (images/proofs.ts).
  `CREATE TABLE image_proofs (digest TEXT NOT NULL REFERENCES images(digest) ON DELETE CASCADE, realm TEXT NOT NULL,
     PRIMARY KEY (digest, realm)) WITHOUT ROWID;
   CREATE TABLE layer_proofs (blob TEXT NOT NULL, diff_id TEXT NOT NULL, realm TEXT NOT NULL,
     PRIMARY KEY (blob, diff_id, realm)) WITHOUT ROWID;
   CREATE TABLE ingest_realms (blob TEXT PRIMARY KEY, realm TEXT NOT NULL) WITHOUT ROWID;`,
  // 9: copies of volumes.
  `CREATE TABLE volume_snapshots (id TEXT PRIMARY KEY, volume TEXT NOT NULL, size_bytes INTEGER NOT NULL,
     created_at TEXT NOT NULL)`,
  // 10: ports of the host that lead to several containers.
  `CREATE TABLE forwards (protocol TEXT NOT NULL, host_port INTEGER NOT NULL, targets TEXT NOT NULL,
     sources TEXT NOT NULL, PRIMARY KEY (protocol, host_port)) WITHOUT ROWID`,
]

/**
 * Brings a database up to the last change, each in a transaction of its own. Throws failed-precondition for one that a
 * newer engine has changed: what that one wrote could be lost here.
 */
export function migrate(db: DatabaseSync, changes: readonly string[] = migrations): void {
  const done = Number(db.prepare('PRAGMA user_version').get()?.user_version)
  if (done > changes.length)
    throw new EngineError(
      'failed-precondition',
      `the engine's database has change ${done}, and this engine knows ${changes.length}: use the newer engine, or a backup from before it`,
    )
  for (const [index, change] of changes.entries()) {
    if (index < done) continue
    inTransaction(db, () => db.exec(`${change}; PRAGMA user_version = ${index + 1}`))
  }
}

/** Runs work that makes several changes to rows: all of them are there afterwards, or none. */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}
