import { z } from 'zod'
import type { Transaction } from '../../database.ts'

/** How the settings lie in installation.acme. */
export const storedAcmeSchema = z.object({
  directoryUrl: z.string(),
  email: z.string(),
  authority: z.string(),
  sealedKey: z.string().nullable(),
  accountUrl: z.string().nullable(),
  problem: z.string().nullable(),
})

export type StoredAcme = z.infer<typeof storedAcmeSchema>

export async function readStoredAcme(db: Pick<Transaction, 'installation'>): Promise<StoredAcme | null> {
  const row = await db.installation.findUnique({ where: { id: 'installation' }, select: { acme: true } })
  const parsed = storedAcmeSchema.safeParse(row?.acme ?? null)
  return parsed.success ? parsed.data : null
}
