import type { Transaction } from './database.ts'

/** Bytes that a team's volumes, their snapshots and its images take: what its disk quota is measured by. */
export async function diskUse(tx: Transaction, teamId: string): Promise<number> {
  const { _sum } = await tx.volume.aggregate({ where: { teamId }, _sum: { sizeBytes: true } })
  const snapshots = await tx.volumeSnapshot.aggregate({
    where: { volume: { teamId }, status: { not: 'failed' } },
    _sum: { allocatedBytes: true },
  })
  const { usedBytes, looseBytes } = await imageUse(tx, teamId)
  return Number(_sum.sizeBytes ?? 0) + Number(snapshots._sum.allocatedBytes ?? 0) + usedBytes + looseBytes
}

/**
 * What a team's repositories take: manifests and what they name, each once in the team, as the registry stores it once;
 * and beside it uploads that are under way or were broken off, and what was deleted and not collected yet.
 */
export async function imageUse(
  db: Pick<Transaction, '$queryRaw'>,
  teamId: string,
): Promise<{ usedBytes: number; looseBytes: number }> {
  const [row] = await db.$queryRaw<{ used: bigint; loose: bigint }[]>`
    WITH own AS (SELECT id, "looseBytes" FROM repositories WHERE "teamId" = ${teamId}), parts AS (
      SELECT digest, "sizeBytes" AS size FROM image_blobs WHERE "repositoryId" IN (SELECT id FROM own)
      UNION SELECT digest, "sizeBytes" FROM image_manifests WHERE "repositoryId" IN (SELECT id FROM own)
    )
    SELECT (SELECT coalesce(sum(size), 0)::bigint FROM (SELECT max(size) AS size FROM parts GROUP BY digest) each) AS used,
      (SELECT coalesce(sum("looseBytes"), 0)::bigint FROM own) AS loose`
  return { usedBytes: Number(row?.used ?? 0), looseBytes: Number(row?.loose ?? 0) }
}
