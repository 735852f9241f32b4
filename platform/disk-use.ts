import type { Transaction } from './database.ts'

/** Bytes that a team's volumes and images take: what its disk quota is measured by. */
export async function diskUse(tx: Transaction, teamId: string): Promise<number> {
  const { _sum } = await tx.volume.aggregate({
    where: { app: { project: { teamId } } },
    _sum: { sizeBytes: true },
  })
  return Number(_sum.sizeBytes ?? 0)
}
