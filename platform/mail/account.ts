import { z } from 'zod'
import type { Transaction } from '../database.ts'
import { mailSecurities } from '../model/mail-settings.ts'
import type { Platform } from '../open.ts'
import { unseal } from '../secrets.ts'

/** How the settings lie in installation.smtp. */
export const storedAccountSchema = z.object({
  host: z.string(),
  port: z.number(),
  security: z.enum(mailSecurities),
  user: z.string(),
  sealedPassword: z.string().nullable(),
  from: z.string(),
  fromName: z.string(),
  authority: z.string(),
})

export type StoredAccount = z.infer<typeof storedAccountSchema>

/** What is needed to talk to the mail server. */
export type MailAccount = Omit<StoredAccount, 'sealedPassword'> & { password: string }

/** A password that was kept for one server opens for no other. */
export function passwordContext({ host, user }: { host: string; user: string }): string {
  return `smtp:${host}:${user}`
}

/** Null where no mail server is configured. */
export async function readStoredAccount(
  db: Pick<Transaction, 'installation'>,
): Promise<StoredAccount | null> {
  const row = await db.installation.findUnique({ where: { id: 'installation' }, select: { smtp: true } })
  const parsed = storedAccountSchema.safeParse(row?.smtp ?? null)
  return parsed.success ? parsed.data : null
}

/** The same with the password in the clear: for whoever sends. */
export async function openAccount(platform: Platform): Promise<MailAccount | null> {
  const stored = await readStoredAccount(platform.db)
  if (stored === null) return null
  const { sealedPassword, ...account } = stored
  const password =
    sealedPassword === null ? '' : unseal(platform.keyring, sealedPassword, passwordContext(account))
  return { ...account, password }
}

/** Whether Berth can send e-mail; otherwise links are shown to whoever asked for them, to be passed on. */
export async function isMailOn(platform: Pick<Platform, 'db'>): Promise<boolean> {
  return (await readStoredAccount(platform.db)) !== null
}
