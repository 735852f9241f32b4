import Link from 'next/link'
import { useTranslations } from 'next-intl'
import type { ImageUse } from '@/platform/model/repositories.ts'
import { Badge } from '../../../../_ui/badge.tsx'

/** Which apps need an image, each once by what it needs it for most. */
export function UsedBy({ uses, teamPath }: { uses: ImageUse[]; teamPath: string }) {
  const t = useTranslations('repositories')
  const byApp = new Map<string, ImageUse>()
  for (const use of uses) {
    const key = use.app?.id ?? ''
    if (!byApp.has(key)) byApp.set(key, use)
  }
  if (byApp.size === 0) return null
  return (
    <ul className="flex flex-wrap gap-1.5">
      {[...byApp].map(([id, { app, use }]) => (
        <li key={id}>
          <Badge tone={use === 'rollback' ? 'neutral' : 'success'}>
            {app === null ? (
              t('otherTeam')
            ) : (
              <Link href={`${teamPath}/${app.project}/${app.slug}`} className="hover:underline">
                {t(`use.${use}`, { app: app.name })}
              </Link>
            )}
          </Badge>
        </li>
      ))}
    </ul>
  )
}
