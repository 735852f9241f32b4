'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { createResetLinkAction } from '../../../../_actions/admin.ts'
import { Button } from '../../../../_ui/button.tsx'
import { Modal } from '../../../../_ui/dialog.client.tsx'
import { DialogForm } from '../../../../_ui/form.client.tsx'
import { ShownOnce } from '../../../../_ui/shown-once.client.tsx'
import { useAction } from '../../../../_ui/use-action.ts'

/** Makes a link for a new password, and shows it this once. */
export function ResetLinkButton({ id, name }: { id: string; name: string }) {
  const t = useTranslations('admin')
  const tTeam = useTranslations('team')
  const { run, pending, form, summary, clear } = useAction({ refresh: false })
  const [open, setOpen] = useState(false)
  const [url, setUrl] = useState<string | null>(null)
  const problem = summary()
  return (
    <Modal
      open={open}
      onOpenChange={(next) => {
        setOpen(next)
        if (!next) return
        setUrl(null)
        clear()
      }}
      title={url === null ? t('resetLinkTitle', { name }) : tTeam('linkTitle')}
      description={url === null ? t('resetLinkDescription') : t('resetLinkMade')}
      trigger={<Button size="small">{tTeam('makeLink')}</Button>}
    >
      {url === null ? (
        <DialogForm
          form={form}
          onSubmit={() => {
            run(() => createResetLinkAction(id), { onDone: (made) => setUrl(made.url) })
          }}
          problem={problem}
          pending={pending}
          submit={tTeam('makeLink')}
        />
      ) : (
        <ShownOnce label={tTeam('link')} copyLabel={tTeam('copyLink')} text={url} />
      )}
    </Modal>
  )
}
