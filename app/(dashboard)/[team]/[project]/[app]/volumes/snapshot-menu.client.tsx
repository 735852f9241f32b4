'use client'

import { Ellipsis, RotateCcw, Trash2 } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import type { VolumeSnapshot } from '@/platform/model/volumes.ts'
import { deleteVolumeSnapshotAction, restoreVolumeAction } from '../../../../../_actions/volumes.ts'
import { buttonStyle } from '../../../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../../../_ui/confirm-dialog.client.tsx'
import { MenuButton, MenuItem } from '../../../../../_ui/menu.client.tsx'

interface SnapshotMenuProps {
  snapshot: VolumeSnapshot
  /** Name of the volume. */
  volume: string
  title: string
}

export function SnapshotMenu({ snapshot, volume, title }: SnapshotMenuProps) {
  const t = useTranslations('volumes')
  const [open, setOpen] = useState<'restore' | 'delete' | null>(null)
  return (
    <>
      <MenuButton
        label={t('menuOfSnapshot', { title })}
        triggerClassName={buttonStyle({ tone: 'ghost', size: 'icon' })}
        trigger={<Ellipsis aria-hidden />}
      >
        {snapshot.status === 'ready' && (
          <MenuItem onClick={() => setOpen('restore')}>
            <RotateCcw aria-hidden />
            {t('restoreNow')}
          </MenuItem>
        )}
        <MenuItem danger onClick={() => setOpen('delete')}>
          <Trash2 aria-hidden />
          {t('deleteSnapshot')}
        </MenuItem>
      </MenuButton>
      <ConfirmDialog
        open={open === 'restore'}
        onOpenChange={(next) => setOpen(next ? 'restore' : null)}
        title={t('restoreTitle', { name: volume })}
        description={t('restoreDescription')}
        confirmLabel={t('restoreNow')}
        tone="primary"
        action={() => restoreVolumeAction(snapshot.id)}
      />
      <ConfirmDialog
        open={open === 'delete'}
        onOpenChange={(next) => setOpen(next ? 'delete' : null)}
        title={t('deleteSnapshotTitle')}
        description={t('deleteSnapshotDescription')}
        confirmLabel={t('deleteSnapshot')}
        action={() => deleteVolumeSnapshotAction(snapshot.id)}
      />
    </>
  )
}
