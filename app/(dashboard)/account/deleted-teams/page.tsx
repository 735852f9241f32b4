import { Trash2 } from 'lucide-react'
import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { loadDeletedTeams } from '../../../_shell/load.ts'
import { Card } from '../../../_ui/card.tsx'
import { EmptyState } from '../../../_ui/empty-state.tsx'
import { PageHeader } from '../../../_ui/page-header.tsx'
import { RelativeTime } from '../../../_ui/relative-time.client.tsx'
import { RestoreButton } from './restore-button.client.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('teamPages')
  return { title: t('deletedTeams') }
}

/** Teams that can still be brought back by whoever is signed in. */
export default async function DeletedTeamsPage() {
  const [t, teams] = await Promise.all([getTranslations('teamPages'), loadDeletedTeams()])
  return (
    <div className="max-w-2xl">
      <PageHeader title={t('deletedTeams')} description={t('deletedTeamsDescription')} />
      {teams.length === 0 ? (
        <EmptyState icon={Trash2} title={t('noneDeleted')} description={t('noneDeletedDescription')} />
      ) : (
        <Card>
          <ul className="divide-y" aria-label={t('deletedTeams')}>
            {teams.map(({ id, name, deletedAt, purgeAt }) => (
              <li key={id} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
                <div className="min-w-0 flex-[1_1_14rem]">
                  <p className="truncate font-medium">{name}</p>
                  <p className="text-muted text-xs">
                    {t('deletedAt')} {deletedAt !== null && <RelativeTime at={deletedAt} />}
                    {purgeAt !== null && <> · {t('purgeAt', { date: new Date(purgeAt) })}</>}
                  </p>
                </div>
                <RestoreButton id={id} name={name} />
              </li>
            ))}
          </ul>
        </Card>
      )}
    </div>
  )
}
