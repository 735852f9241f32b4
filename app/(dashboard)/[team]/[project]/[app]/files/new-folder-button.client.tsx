'use client'

import { FolderPlus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../../../../_ui/button.tsx'
import { Modal, ModalClose } from '../../../../../_ui/dialog.client.tsx'
import { TextField } from '../../../../../_ui/field.client.tsx'
import { Notice } from '../../../../../_ui/notice.tsx'
import { useAction } from '../../../../../_ui/use-action.ts'
import type { AskFiles, FilePath } from './ask-files.ts'
import { childOf } from './file-paths.ts'

interface NewFolderButtonProps {
  files: AskFiles
  folder: FilePath
  onDone(): void
}

export function NewFolderButton({ files, folder, onDone }: NewFolderButtonProps) {
  const t = useTranslations('files')
  const tCommon = useTranslations('common')
  const [open, setOpen] = useState(false)
  const [name, setName] = useState('')
  const { run, pending, summary, form, clear } = useAction({ refresh: false })
  const problem = summary()
  const isName = name !== '' && !name.includes('/') && name !== '.' && name !== '..'

  function change(isOpen: boolean): void {
    setOpen(isOpen)
    setName('')
    clear()
  }

  return (
    <Modal
      open={open}
      onOpenChange={change}
      title={t('newFolder')}
      trigger={
        <Button>
          <FolderPlus aria-hidden />
          {t('newFolder')}
        </Button>
      }
    >
      <form
        ref={form}
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault()
          run(() => files.makeFolder(childOf(folder, name)), {
            onDone() {
              change(false)
              onDone()
            },
          })
        }}
      >
        <TextField label={t('folderName')} value={name} onValueChange={setName} maxLength={255} autoFocus />
        {problem !== null && <Notice tone="danger">{problem}</Notice>}
        <div className="flex justify-end gap-2">
          <ModalClose render={<Button>{tCommon('cancel')}</Button>} />
          <Button tone="primary" type="submit" pending={pending} disabled={!isName}>
            {t('makeFolder')}
          </Button>
        </div>
      </form>
    </Modal>
  )
}
