/** The rows of which port of the host leads to which containers: kept for the next engine. */
import type { State } from '../state/database.ts'
import { inTransaction } from '../state/migrations.ts'
import type { Forward } from './networks.ts'

export interface ForwardRows {
  all(): Required<Forward>[]
  /** These, and no others. */
  replace(forwards: Required<Forward>[]): void
}

export function createForwardRows({ db }: State): ForwardRows {
  return {
    all: () =>
      db
        .prepare('SELECT * FROM forwards ORDER BY protocol, host_port')
        .all()
        .map((row) => ({
          protocol: row.protocol === 'udp' ? 'udp' : 'tcp',
          hostPort: Number(row.host_port),
          targets: JSON.parse(String(row.targets)) as Forward['targets'],
          sources: JSON.parse(String(row.sources)) as string[],
        })),
    replace: (forwards) =>
      inTransaction(db, () => {
        db.exec('DELETE FROM forwards')
        const insert = db.prepare(
          'INSERT INTO forwards (protocol, host_port, targets, sources) VALUES (?, ?, ?, ?)',
        )
        for (const { protocol, hostPort, targets, sources } of forwards)
          insert.run(protocol, hostPort, JSON.stringify(targets), JSON.stringify(sources))
      }),
  }
}
