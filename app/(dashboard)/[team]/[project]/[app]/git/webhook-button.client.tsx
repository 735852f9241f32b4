'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { makeGitWebhookAction } from '../../../../../_actions/git.ts'
import { Button } from '../../../../../_ui/button.tsx'
import { Modal, ModalClose } from '../../../../../_ui/dialog.client.tsx'
import { ShownOnce } from '../../../../../_ui/shown-once.client.tsx'
import { useAction } from '../../../../../_ui/use-action.ts'

/** Makes the webhook's secret, which is shown right after and never again. */
export function WebhookButton({ appId, isNew }: { appId: string; isNew: boolean }) {
  const t = useTranslations('git')
  const tCommon = useTranslations('common')
  const { run, pending } = useAction()
  const [open, setOpen] = useState(false)
  const [secret, setSecret] = useState<string | null>(null)
  const label = isNew ? t('makeWebhook') : t('renewSecret')
  return (
    <Modal
      open={open}
      onOpenChange={(next) => {
        setOpen(next)
        if (!next) setSecret(null)
      }}
      title={secret === null ? label : t('secretTitle')}
      description={secret === null ? t('makeDescription') : t('secretDescription')}
      trigger={<Button>{label}</Button>}
    >
      {secret === null ? (
        <div className="flex justify-end gap-2">
          <ModalClose render={<Button>{tCommon('cancel')}</Button>} />
          <Button
            tone="primary"
            pending={pending}
            onClick={() =>
              run(() => makeGitWebhookAction(appId), { onDone: (made) => setSecret(made.secret) })
            }
          >
            {label}
          </Button>
        </div>
      ) : (
        <ShownOnce label={t('secret')} copyLabel={t('copySecret')} text={secret} />
      )}
    </Modal>
  )
}
