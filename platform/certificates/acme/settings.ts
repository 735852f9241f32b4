import { requireInstallation, type Viewer } from '../../access.ts'
import { record } from '../../audit.ts'
import type { Facts } from '../../audit-changes.ts'
import { Prisma } from '../../generated/prisma/client.ts'
import { type AcmeSettingsInput, type AcmeState, acmeSettingsSchema } from '../../model/acme-settings.ts'
import type { Platform } from '../../open.ts'
import { validate } from '../../validate.ts'
import { readStoredAcme, type StoredAcme } from './stored.ts'

const id = 'installation'

/** Which authority certificates are asked of, and how that goes. */
export async function readAcme(platform: Platform, viewer: Viewer): Promise<AcmeState> {
  await requireInstallation(platform, viewer, 'installation.change-settings')
  const { db } = platform
  const [stored, issued, waiting] = await Promise.all([
    readStoredAcme(db),
    db.certificate.count({ where: { source: 'acme', status: 'active' } }),
    db.certificate.count({ where: { source: 'acme', status: { not: 'active' } } }),
  ])
  const server =
    stored === null
      ? null
      : { directoryUrl: stored.directoryUrl, email: stored.email, authority: stored.authority }
  const hasAccount = stored !== null && stored.accountUrl !== null
  return { server, hasAccount, problem: stored?.problem ?? null, issued, waiting }
}

/** Another authority is another account. What waits is tried at once. */
export async function changeAcme(
  platform: Platform,
  viewer: Viewer,
  input: AcmeSettingsInput,
): Promise<AcmeState> {
  await requireInstallation(platform, viewer, 'installation.change-settings')
  const { termsAgreed: _, ...wanted } = validate(acmeSettingsSchema, input)
  await platform.db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM installation WHERE id = ${id} FOR UPDATE`
    const before = await readStoredAcme(tx)
    const isSame = before?.directoryUrl === wanted.directoryUrl && before.email === wanted.email
    const account = isSame
      ? { sealedKey: before.sealedKey, accountUrl: before.accountUrl }
      : { sealedKey: null, accountUrl: null }
    const acme = { ...wanted, ...account, problem: null }
    await tx.installation.upsert({ where: { id }, create: { id, acme }, update: { acme } })
    await tx.certificate.updateMany({
      where: { source: 'acme', status: { not: 'active' } },
      data: { dueAt: new Date(), failures: 0 },
    })
    await record(tx, viewer, {
      teamId: null,
      action: 'installation.change-acme',
      before: before === null ? undefined : factsOf(before),
      after: factsOf(wanted),
    })
  })
  return readAcme(platform, viewer)
}

/** No certificates are asked for any more. Those that are there are served until they end. */
export async function removeAcme(platform: Platform, viewer: Viewer): Promise<void> {
  await requireInstallation(platform, viewer, 'installation.change-settings')
  await platform.db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM installation WHERE id = ${id} FOR UPDATE`
    const before = await readStoredAcme(tx)
    if (before === null) return
    await tx.installation.update({ where: { id }, data: { acme: Prisma.DbNull } })
    await record(tx, viewer, { teamId: null, action: 'installation.change-acme', before: factsOf(before) })
  })
}

function factsOf({
  directoryUrl,
  email,
  authority,
}: Pick<StoredAcme, 'directoryUrl' | 'email' | 'authority'>): Facts {
  return { directoryUrl, email, authority }
}
