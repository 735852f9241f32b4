/**
 * Leases: what work that is not done yet counts on. A pull has no image to show for its blobs and layers before its
 * end, so it takes a lease on their digests first, and the garbage collector leaves those alone.
 *
 * A lease does not end while its work goes on. Work that can be gone on with leaves it behind for a day when it is cut
 * off, also by the end of the process: leases are rows. Then it expires by itself.
 */
import type { Digest } from '../oci/digest.ts'
import type { State } from '../state/database.ts'
import { inTransaction } from '../state/migrations.ts'

export interface Leases {
  /** Takes a lease out, or joins the one of this id. Nothing of `digests` is removed from now on. */
  take(id: string, digests?: Digest[], options?: { isResumable?: boolean }): Lease
  /** Ends a lease that work left behind which nobody will go on with; one that is taken now stays. */
  drop(id: string): void
  /** Digests under a lease that has not expired, each perhaps more than once. */
  digests(): Digest[]
}

export interface Lease {
  add(...digests: Digest[]): void
  /** The work is done and its result recorded, or it is no use to go on with it: nothing is to be left behind. */
  end(): void
  /** To be called at last, whatever happened. The lease ends when all who took it have let go. */
  letGo(): void
}

const lifeMs = 24 * 3_600_000

export function createLeases({ db }: State): Leases {
  const underWay = new Map<string, { members: number; isDone: boolean }>()

  function dropExpired(): void {
    const active = JSON.stringify([...underWay.keys()])
    db.prepare('DELETE FROM leases WHERE expires_at <= ? AND id NOT IN (SELECT value FROM json_each(?))').run(
      Date.now(),
      active,
    )
  }
  dropExpired()
  db.exec('DELETE FROM leases WHERE NOT is_resumable')

  const setExpiry = (id: string, isResumable: boolean) =>
    db
      .prepare(
        `INSERT INTO leases (id, expires_at, is_resumable) VALUES (?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at`,
      )
      .run(id, Date.now() + lifeMs, Number(isResumable))
  const insertItems = (id: string, digests: Digest[]) => {
    const insert = db.prepare('INSERT OR IGNORE INTO lease_items (lease, digest) VALUES (?, ?)')
    for (const digest of digests) insert.run(id, digest)
  }

  return {
    take(id, digests = [], { isResumable = false } = {}) {
      inTransaction(db, () => {
        setExpiry(id, isResumable)
        insertItems(id, digests)
      })
      const work = underWay.get(id) ?? { members: 0, isDone: false }
      underWay.set(id, work)
      work.members++
      let isOver = false
      return {
        add: (...more) => inTransaction(db, () => insertItems(id, more)),
        end() {
          work.isDone = true
        },
        letGo() {
          if (isOver) return
          isOver = true
          // Others at the same work count on it still.
          if (--work.members > 0) return
          underWay.delete(id)
          if (work.isDone || !isResumable) db.prepare('DELETE FROM leases WHERE id = ?').run(id)
          else db.prepare('UPDATE leases SET expires_at = ? WHERE id = ?').run(Date.now() + lifeMs, id)
        },
      }
    },

    drop(id) {
      if (!underWay.has(id)) db.prepare('DELETE FROM leases WHERE id = ?').run(id)
    },

    digests() {
      dropExpired()
      return db
        .prepare('SELECT digest FROM lease_items')
        .all()
        .map((row) => String(row.digest))
    },
  }
}
