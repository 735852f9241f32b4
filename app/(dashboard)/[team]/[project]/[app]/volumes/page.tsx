import { HardDrive } from 'lucide-react'
import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import type { App } from '@/platform/model/resources.ts'
import { roleIncludes } from '@/platform/model/roles.ts'
import { listLeftVolumes, listVolumes } from '@/platform/volumes.ts'
import { enter, loadApp } from '../../../../../_shell/load.ts'
import { EmptyState } from '../../../../../_ui/empty-state.tsx'
import { RowsSkeleton } from '../../../../../_ui/skeleton.tsx'
import { DeletedCard } from './deleted-card.client.tsx'
import { NewVolumeButton } from './new-volume-button.client.tsx'
import { VolumeCard } from './volume-card.tsx'

type Props = PageProps<'/[team]/[project]/[app]/volumes'>

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const names = await params
  const [t, { app }] = await Promise.all([
    getTranslations('volumes'),
    loadApp(names.team, names.project, names.app),
  ])
  return { title: `${t('title')} · ${app.name}` }
}

/** What the app keeps, copies of it, and what can still be had back. */
export default async function VolumesPage({ params }: Props) {
  const names = await params
  const { project, app } = await loadApp(names.team, names.project, names.app)
  return (
    <Suspense fallback={<RowsSkeleton rows={3} />}>
      <Volumes app={app} canEdit={roleIncludes(project.role, 'developer')} />
    </Suspense>
  )
}

async function Volumes({ app, canEdit }: { app: App; canEdit: boolean }) {
  const { platform, viewer } = await enter()
  const [t, all, left] = await Promise.all([
    getTranslations('volumes'),
    listVolumes(platform, viewer, app.id),
    listLeftVolumes(platform, viewer, app.projectId),
  ])
  const volumes = all.filter(({ deletedAt }) => deletedAt === null)
  const deleted = [...all.filter(({ deletedAt }) => deletedAt !== null), ...left]
  const add = canEdit && <NewVolumeButton appId={app.id} />
  return (
    <div className="space-y-6">
      {volumes.length === 0 ? (
        <EmptyState icon={HardDrive} title={t('none')} description={t('noneDescription')} action={add} />
      ) : (
        <>
          <div className="flex flex-wrap items-center justify-between gap-3">
            <p className="max-w-prose text-muted">{t('description')}</p>
            {add}
          </div>
          {volumes.map((volume) => (
            <VolumeCard key={volume.id} volume={volume} canEdit={canEdit} />
          ))}
        </>
      )}
      {deleted.length > 0 && <DeletedCard appId={app.id} volumes={deleted} canEdit={canEdit} />}
    </div>
  )
}
