'use client'

import { Camera, Ellipsis, FolderOpen, Pencil, Trash2 } from 'lucide-react'
import { usePathname } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { type Volume, volumeGraceDays } from '@/platform/model/volumes.ts'
import { deleteVolumeAction, snapshotVolumeAction } from '../../../../../_actions/volumes.ts'
import { Button, buttonStyle } from '../../../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../../../_ui/confirm-dialog.client.tsx'
import { Modal } from '../../../../../_ui/dialog.client.tsx'
import { MenuButton, MenuItem, MenuLink } from '../../../../../_ui/menu.client.tsx'
import { useAction } from '../../../../../_ui/use-action.ts'
import { VolumeForm } from './volume-form.client.tsx'

export function VolumeMenu({ volume }: { volume: Volume }) {
  const t = useTranslations('volumes')
  const { run, pending } = useAction()
  const [open, setOpen] = useState<'edit' | 'delete' | null>(null)
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
      <MenuButton
        label={t('menuOf', { name })}
        triggerClassName={buttonStyle({ tone: 'ghost', size: 'icon' })}
        trigger={<Ellipsis aria-hidden />}
      >
        {volume.isMade && (
          <MenuLink href={`${path.replace(/\/volumes$/, '/files')}?in=${id}`}>
            <FolderOpen aria-hidden />
            {t('files')}
          </MenuLink>
        )}
        <MenuItem onClick={() => setOpen('edit')}>
          <Pencil aria-hidden />
          {t('edit')}
        </MenuItem>
        <MenuItem danger onClick={() => setOpen('delete')}>
          <Trash2 aria-hidden />
          {t('delete')}
        </MenuItem>
      </MenuButton>
      <Modal
        open={open === 'edit'}
        onOpenChange={(next) => setOpen(next ? 'edit' : null)}
        title={t('editTitle', { name })}
      >
        <VolumeForm volume={volume} onDone={() => setOpen(null)} />
      </Modal>
      <ConfirmDialog
        open={open === 'delete'}
        onOpenChange={(next) => setOpen(next ? 'delete' : null)}
        title={t('deleteTitle', { name })}
        description={t('deleteDescription', { days: volumeGraceDays })}
        confirmLabel={t('delete')}
        typed={name}
        action={() => deleteVolumeAction(id)}
      />
    </div>
  )
}
