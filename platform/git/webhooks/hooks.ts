import { notFound, type Viewer } from '../../access.ts'
import { appAccess } from '../../app-access.ts'
import { record } from '../../audit.ts'
import { newWebhookSecret } from '../../notifications/signature.ts'
import type { Platform } from '../../open.ts'
import { randomText, seal } from '../../secrets.ts'

export const hookContext = (appId: string) => `git-hook:${appId}`

export interface NewGitWebhook {
  url: string
  /** Told this once. */
  secret: string
}

/** Where a webhook of the app leads to. */
export function hookUrl(platform: Platform, hookId: string): string {
  return `${platform.config.publicUrl}/api/webhooks/git/${hookId}`
}

/** Makes the app's webhook, or gives it a new secret: what is signed with the old one is refused from now on. */
export async function makeGitWebhook(
  platform: Platform,
  viewer: Viewer,
  appId: string,
): Promise<NewGitWebhook> {
  const { teamId, name } = await appAccess(platform, viewer, appId, 'git-source.write')
  const secret = newWebhookSecret()
  const hookId = await platform.db.$transaction(async (tx) => {
    const before = await tx.gitSource.findUnique({ where: { appId }, select: { hookId: true } })
    if (before === null) throw notFound('Git source')
    const id = before.hookId ?? randomText(24)
    const sealedHookSecret = seal(platform.keyring, secret, hookContext(appId))
    await tx.gitSource.update({ where: { appId }, data: { hookId: id, sealedHookSecret } })
    const target = { type: 'app' as const, id: appId, name }
    await record(tx, viewer, { teamId, action: 'git-source.make-webhook', target })
    return id
  })
  return { url: hookUrl(platform, hookId), secret }
}
