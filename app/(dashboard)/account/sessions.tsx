import { getTranslations } from 'next-intl/server'
import { listSessions } from '@/platform/account.ts'
import { enter } from '../../_shell/load.ts'
import { Badge } from '../../_ui/badge.tsx'
import { browserName } from '../../_ui/browser-name.ts'
import { RelativeTime } from '../../_ui/relative-time.client.tsx'
import { EndSessionButton } from './end-session-button.client.tsx'

/** Where one is signed in. */
export async function Sessions() {
  const { platform, viewer } = await enter()
  const [t, { data }] = await Promise.all([
    getTranslations('account'),
    listSessions(platform, viewer, { limit: 100 }),
  ])
  return (
    <ul className="divide-y" aria-label={t('sessions')}>
      {data.map((session) => (
        <li key={session.id} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
          <div className="min-w-0 flex-[1_1_14rem]">
            <p className="truncate font-medium">{browserName(session.userAgent) ?? t('unknownBrowser')}</p>
            <p className="text-muted text-xs">
              {session.address !== null && `${session.address} · `}
              {t('seen')} <RelativeTime at={session.lastSeenAt} />
            </p>
          </div>
          {session.isCurrent ? <Badge>{t('thisSession')}</Badge> : <EndSessionButton id={session.id} />}
        </li>
      ))}
    </ul>
  )
}
