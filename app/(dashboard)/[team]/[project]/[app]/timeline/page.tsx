import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { type AppEventArea, appEventAreas } from '@/platform/model/app-event-kinds.ts'
import { listTimeline } from '@/platform/timeline.ts'
import { enter, loadApp } from '../../../../../_shell/load.ts'
import { ButtonLink } from '../../../../../_ui/button.tsx'
import { TimelineView } from './timeline-view.client.tsx'

type Props = PageProps<'/[team]/[project]/[app]/timeline'>

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const names = await params
  const [t, { app }] = await Promise.all([
    getTranslations('timeline'),
    loadApp(names.team, names.project, names.app),
  ])
  return { title: `${t('title')} · ${app.name}` }
}

/** Everything that happened to the app, newest first; live on its first page. */
export default async function TimelinePage({ params, searchParams }: Props) {
  const [names, { kind, cursor: given }] = await Promise.all([params, searchParams])
  const { app, path } = await loadApp(names.team, names.project, names.app)
  const area: AppEventArea | null = appEventAreas.find((each) => each === kind) ?? null
  const cursor = typeof given === 'string' ? given : undefined
  const { platform, viewer } = await enter()
  const filter = area === null ? {} : { kind: area }
  const [t, page] = await Promise.all([
    getTranslations('common'),
    listTimeline(platform, viewer, app.id, filter, { cursor, limit: 50 }),
  ])
  const older = new URLSearchParams({
    ...(area === null ? {} : { kind: area }),
    ...(page.nextCursor === null ? {} : { cursor: page.nextCursor }),
  })
  return (
    <>
      <TimelineView
        key={`${area}-${cursor}`}
        appId={app.id}
        path={path}
        area={area}
        entries={page.data}
        isLive={cursor === undefined}
      />
      {page.nextCursor !== null && (
        <div className="mt-4 flex justify-center">
          <ButtonLink href={`${path}/timeline?${older}`}>{t('nextPage')}</ButtonLink>
        </div>
      )}
    </>
  )
}
