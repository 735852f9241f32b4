/** What the logs of a host's apps take, and may take. */
import type { Platform } from '../open.ts'

/** Of the teams whose logs are limited: the apps that this host keeps logs of. */
export async function logLimits(
  platform: Platform,
  appIds: string[],
): Promise<{ appIds: string[]; maxBytes: number }[]> {
  const teams = await platform.db.team.findMany({
    where: { maxLogBytes: { not: null }, projects: { some: { apps: { some: { id: { in: appIds } } } } } },
    select: {
      maxLogBytes: true,
      projects: { select: { apps: { where: { id: { in: appIds } }, select: { id: true } } } },
    },
  })
  return teams.map(({ maxLogBytes, projects }) => ({
    maxBytes: Number(maxLogBytes),
    appIds: projects.flatMap(({ apps }) => apps.map(({ id }) => id)),
  }))
}

/** @param use Bytes by app. */
export async function reportLogUse(platform: Platform, use: Record<string, number>): Promise<void> {
  const [ids, bytes] = [Object.keys(use), Object.values(use)]
  await platform.db.$executeRaw`
    UPDATE apps SET "logBytes" = told.bytes FROM unnest(${ids}::text[], ${bytes}::bigint[]) AS told (id, bytes)
    WHERE apps.id = told.id AND apps."logBytes" <> told.bytes`
}
