'use client'

import { useTranslations } from 'next-intl'
import type { DeletedFiles, FileEntry } from '@/platform/model/files.ts'
import type { ActionResult } from '../../../../../_actions/result.ts'
import { ConfirmDialog } from '../../../../../_ui/confirm-dialog.client.tsx'
import { toast } from '../../../../../_ui/toast.client.tsx'
import { shownName } from './file-paths.ts'

interface DeleteDialogProps {
  entry: FileEntry
  remove(recursive: boolean): Promise<ActionResult<DeletedFiles>>
  onClose(): void
  onDone(): void
}

/** A folder goes with all in it, so its name is typed first. */
export function DeleteDialog({ entry, remove, onClose, onDone }: DeleteDialogProps) {
  const t = useTranslations('files')
  const isFolder = entry.kind === 'folder'
  const name = shownName(entry.name)
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose()
      }}
      title={t('deleteTitle', { name })}
      description={t(isFolder ? 'deleteFolder' : 'deleteFile')}
      confirmLabel={t('delete')}
      refresh={false}
      {...(isFolder ? { typed: name } : {})}
      action={async () => {
        const answer = await remove(isFolder)
        if (answer.ok && !answer.data.isDone)
          toast('danger', t('notAllDeleted', { removed: answer.data.removed }))
        return answer
      }}
      onDone={onDone}
    />
  )
}
