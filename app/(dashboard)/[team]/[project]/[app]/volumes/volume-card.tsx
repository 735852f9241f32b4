import { getLocale, getTranslations } from 'next-intl/server'
import type { Volume, VolumeSnapshot } from '@/platform/model/volumes.ts'
import { Badge, type Tone } from '../../../../../_ui/badge.tsx'
import { Card, CardHeader } from '../../../../../_ui/card.tsx'
import { formatBytes } from '../../../../../_ui/format.ts'
import { Notice } from '../../../../../_ui/notice.tsx'
import { ProgressBar } from '../../../../../_ui/progress-bar.tsx'
import { RelativeTime } from '../../../../../_ui/relative-time.client.tsx'
import { SnapshotMenu } from './snapshot-menu.client.tsx'
import { VolumeMenu } from './volume-menu.client.tsx'

export async function VolumeCard({ volume, canEdit }: { volume: Volume; canEdit: boolean }) {
  const [t, locale] = await Promise.all([getTranslations('volumes'), getLocale()])
  const { id, name, mountPath, sizeBytes, usedBytes, task, problem, snapshots, isMade } = volume
  const share = usedBytes === null ? 0 : usedBytes / sizeBytes
  const size = formatBytes(sizeBytes, locale)
  return (
    <Card aria-labelledby={id}>
      <CardHeader
        titleId={id}
        title={name}
        description={<code className="text-[13px]">{mountPath}</code>}
        actions={canEdit && <VolumeMenu volume={volume} />}
      />
      <div className="space-y-2 px-5 pt-3 pb-4">
        <ProgressBar
          label={t('usedOf', { name })}
          value={share}
          tone={share > 0.95 ? 'danger' : share > 0.85 ? 'warning' : 'accent'}
        />
        <p className="text-muted text-xs">
          {usedBytes === null
            ? t('size', { size })
            : t('used', { used: formatBytes(usedBytes, locale), size })}
        </p>
        <div role="status">
          {(task !== null || !isMade) && <Badge tone="accent">{t(task ?? 'making')}</Badge>}
        </div>
        {problem !== null && <Notice tone="danger">{t('problem', { problem })}</Notice>}
      </div>
      {snapshots.length > 0 && (
        <>
          <h3 className="border-t px-5 pt-3 font-medium">{t('snapshots')}</h3>
          <ul className="divide-y" aria-label={t('snapshotsOf', { name })}>
            {snapshots.map((snapshot) => (
              <SnapshotRow
                key={snapshot.id}
                snapshot={snapshot}
                name={name}
                canEdit={canEdit && task === null}
              />
            ))}
          </ul>
        </>
      )}
    </Card>
  )
}

const tones: Record<VolumeSnapshot['status'], Tone> = {
  waiting: 'accent',
  ready: 'success',
  failed: 'danger',
  removing: 'neutral',
}

interface SnapshotRowProps {
  snapshot: VolumeSnapshot
  /** Of the volume. */
  name: string
  canEdit: boolean
}

async function SnapshotRow({ snapshot, name, canEdit }: SnapshotRowProps) {
  const [t, locale] = await Promise.all([getTranslations('volumes'), getLocale()])
  const { kind, note, status, message, allocatedBytes, by, createdAt } = snapshot
  const title = kind === 'before-restore' ? t('beforeRestore') : note || t('snapshot')
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
      <div className="min-w-0 flex-[1_1_14rem]">
        <p className="break-words">{title}</p>
        <p className="text-muted text-xs">
          <RelativeTime at={createdAt} />
          {` · ${by}`}
          {allocatedBytes !== null && ` · ${formatBytes(allocatedBytes, locale)}`}
        </p>
        {message !== null && <p className="text-danger text-xs">{message}</p>}
      </div>
      <div className="flex items-center gap-2">
        <Badge tone={tones[status]}>{t(`status.${status}`)}</Badge>
        {canEdit && status !== 'removing' && <SnapshotMenu snapshot={snapshot} volume={name} title={title} />}
      </div>
    </li>
  )
}
