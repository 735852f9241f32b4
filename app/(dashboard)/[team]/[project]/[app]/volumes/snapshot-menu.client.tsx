'use client'

import { RotateCcw, Trash2 } from 'lucide-react'
import { useTranslations } from 'next-intl'
import type { VolumeSnapshot } from '@/platform/model/volumes.ts'
import { deleteVolumeSnapshotAction, restoreVolumeAction } from '../../../../../_actions/volumes.ts'
import { ConfirmDialog } from '../../../../../_ui/confirm-dialog.client.tsx'
import { useDialogs } from '../../../../../_ui/dialog.client.tsx'
import { MenuItem, MoreMenu } from '../../../../../_ui/menu.client.tsx'

interface SnapshotMenuProps {
  snapshot: VolumeSnapshot
  /** Name of the volume. */
  volume: string
  title: string
}

export function SnapshotMenu({ snapshot, volume, title }: SnapshotMenuProps) {
  const t = useTranslations('volumes')
  const dialogs = useDialogs<'restore' | 'delete'>()
  return (
    <>
      <MoreMenu label={t('menuOfSnapshot', { title })}>
        {snapshot.status === 'ready' && (
          <MenuItem onClick={() => dialogs.show('restore')}>
            <RotateCcw aria-hidden />
            {t('restoreNow')}
          </MenuItem>
        )}
        <MenuItem danger onClick={() => dialogs.show('delete')}>
          <Trash2 aria-hidden />
          {t('deleteSnapshot')}
        </MenuItem>
      </MoreMenu>
      <ConfirmDialog
        {...dialogs.of('restore')}
        title={t('restoreTitle', { name: volume })}
        description={t('restoreDescription')}
        confirmLabel={t('restoreNow')}
        tone="primary"
        action={() => restoreVolumeAction(snapshot.id)}
      />
      <ConfirmDialog
        {...dialogs.of('delete')}
        title={t('deleteSnapshotTitle')}
        description={t('deleteSnapshotDescription')}
        confirmLabel={t('deleteSnapshot')}
        action={() => deleteVolumeSnapshotAction(snapshot.id)}
      />
    </>
  )
}
