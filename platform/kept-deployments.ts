import type { Database, Transaction } from './database.ts'
import { Prisma } from './generated/prisma/client.ts'
import { usuallyKept } from './model/app-settings.ts'

export interface KeptDeployment {
  id: string
  appId: string
  number: number
  imageRef: string
  imageDigest: string
}

/**
 * The deployments that can be gone back to at once: of each app the latest that were live, beside the one that is, as
 * many as the app's settings say now. Their images stay on the host and, where they are Berth's own, in its registry.
 * All that decides what is removed asks here.
 */
export async function keptDeployments(
  db: Pick<Transaction, '$queryRaw'> | Database,
  of: { hostId: string } | { appIds: string[] },
): Promise<KeptDeployment[]> {
  const which =
    'hostId' in of ? Prisma.sql`app."hostId" = ${of.hostId}` : Prisma.sql`app.id = ANY(${of.appIds}::text[])`
  return db.$queryRaw<KeptDeployment[]>`
    SELECT kept.* FROM apps AS app CROSS JOIN LATERAL (
      SELECT id, "appId", number, "imageRef", "imageDigest" FROM deployments
      WHERE "appId" = app.id AND "liveAt" IS NOT NULL AND "imageDigest" IS NOT NULL
        AND id IS DISTINCT FROM app."liveDeploymentId"
      ORDER BY "liveAt" DESC LIMIT COALESCE((app.settings->>'keptDeployments')::int, ${usuallyKept})
    ) AS kept
    WHERE app."desiredState" <> 'deleted' AND ${which}`
}
