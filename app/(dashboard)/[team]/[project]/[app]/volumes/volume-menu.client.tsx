'use client'

import { Camera, FolderOpen, Pencil, Trash2 } from 'lucide-react'
import { usePathname } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { type Volume, volumeGraceDays } from '@/platform/model/volumes.ts'
import { deleteVolumeAction, snapshotVolumeAction } from '../../../../../_actions/volumes.ts'
import { Button } from '../../../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../../../_ui/confirm-dialog.client.tsx'
import { Modal, useDialogs } from '../../../../../_ui/dialog.client.tsx'
import { MenuItem, MenuLink, MoreMenu } from '../../../../../_ui/menu.client.tsx'
import { useAction } from '../../../../../_ui/use-action.ts'
import { VolumeForm } from './volume-form.client.tsx'

export function VolumeMenu({ volume }: { volume: Volume }) {
  const t = useTranslations('volumes')
  const { run, pending } = useAction()
  const dialogs = useDialogs<'edit' | 'delete'>()
  const { id, name } = volume
  const path = usePathname()
  return (
    <div className="flex items-center gap-1">
      <Button
        size="small"
        pending={pending}
        disabled={volume.task !== null || !volume.isMade}
        aria-label={t('snapshotNowOf', { name })}
        onClick={() => run(() => snapshotVolumeAction(id, {}))}
      >
        <Camera aria-hidden />
        {t('snapshotNow')}
      </Button>
      <MoreMenu label={t('menuOf', { name })}>
        {volume.isMade && (
          <MenuLink href={`${path.replace(/\/volumes$/, '/files')}?in=${id}`}>
            <FolderOpen aria-hidden />
            {t('files')}
          </MenuLink>
        )}
        <MenuItem onClick={() => dialogs.show('edit')}>
          <Pencil aria-hidden />
          {t('edit')}
        </MenuItem>
        <MenuItem danger onClick={() => dialogs.show('delete')}>
          <Trash2 aria-hidden />
          {t('delete')}
        </MenuItem>
      </MoreMenu>
      <Modal {...dialogs.of('edit')} title={t('editTitle', { name })}>
        <VolumeForm volume={volume} onDone={dialogs.close} />
      </Modal>
      <ConfirmDialog
        {...dialogs.of('delete')}
        title={t('deleteTitle', { name })}
        description={t('deleteDescription', { days: volumeGraceDays })}
        confirmLabel={t('delete')}
        typed={name}
        action={() => deleteVolumeAction(id)}
      />
    </div>
  )
}
