'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { removeCertificateAction, setCertificateAction, tryCertificateAction } from '../_actions/domains.ts'
import { ActionButton } from '../_ui/action-button.client.tsx'
import { Button } from '../_ui/button.tsx'
import { ConfirmDialog } from '../_ui/confirm-dialog.client.tsx'
import { Modal } from '../_ui/dialog.client.tsx'
import { TextAreaField } from '../_ui/field.client.tsx'
import { DialogForm } from '../_ui/form.client.tsx'
import { useAction } from '../_ui/use-action.ts'

/** A certificate of one's own for a name, with its key; neither is shown again. */
export function CertificateButton({ id, name }: { id: string; name: string }) {
  const t = useTranslations('domains.upload')
  const { run, pending, form, errorOf, summary, clear } = useAction()
  const [open, setOpen] = useState(false)
  const problem = summary(['chain', 'key'])

  function change(next: boolean) {
    clear()
    setOpen(next)
  }

  return (
    <Modal
      open={open}
      onOpenChange={change}
      title={t('title', { name })}
      description={t('description')}
      trigger={
        <Button size="small" aria-label={t('title', { name })}>
          {t('button')}
        </Button>
      }
    >
      <DialogForm
        form={form}
        onSubmit={(data) => {
          const input = { chain: String(data.get('chain') ?? ''), key: String(data.get('key') ?? '') }
          run(() => setCertificateAction(id, input), { onDone: () => change(false), done: t('done') })
        }}
        problem={problem}
        pending={pending}
        submit={t('button')}
      >
        <TextAreaField
          label={t('chain')}
          description={t('chainDescription')}
          name="chain"
          rows={6}
          placeholder="-----BEGIN CERTIFICATE-----"
          error={errorOf('chain')}
          spellCheck={false}
          mono
        />
        <TextAreaField
          label={t('key')}
          description={t('keyDescription')}
          name="key"
          rows={4}
          placeholder="-----BEGIN PRIVATE KEY-----"
          error={errorOf('key')}
          spellCheck={false}
          mono
        />
      </DialogForm>
    </Modal>
  )
}

export function RemoveCertificateButton({ id, name }: { id: string; name: string }) {
  const t = useTranslations('domains.upload')
  return (
    <ConfirmDialog
      title={t('removeTitle', { name })}
      description={t('removeDescription')}
      confirmLabel={t('remove')}
      done={t('removed')}
      trigger={<Button size="small">{t('remove')}</Button>}
      action={() => removeCertificateAction(id)}
    />
  )
}

export function TryNowButton({ id, name }: { id: string; name: string }) {
  const t = useTranslations('domains.issuance')
  return (
    <ActionButton size="small" action={() => tryCertificateAction(id)} aria-label={t('tryName', { name })}>
      {t('tryNow')}
    </ActionButton>
  )
}
