'use client'

import { FolderPlus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../../../../_ui/button.tsx'
import { Modal } from '../../../../../_ui/dialog.client.tsx'
import { TextField } from '../../../../../_ui/field.client.tsx'
import { DialogForm } from '../../../../../_ui/form.client.tsx'
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
      <DialogForm
        form={form}
        onSubmit={() => {
          run(() => files.makeFolder(childOf(folder, name)), {
            onDone() {
              change(false)
              onDone()
            },
          })
        }}
        problem={problem}
        pending={pending}
        submit={t('makeFolder')}
        disabled={!isName}
      >
        <TextField label={t('folderName')} value={name} onValueChange={setName} maxLength={255} autoFocus />
      </DialogForm>
    </Modal>
  )
}
