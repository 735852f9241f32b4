'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import {
  type RecordSetterInput,
  type RecordsBy,
  recordSetterKinds,
  type TsigAlgorithm,
  tsigAlgorithms,
} from '@/platform/model/record-setter.ts'
import { removeRecordsByAction, setRecordsByAction } from '../_actions/domains.ts'
import { Button } from '../_ui/button.tsx'
import { ConfirmDialog } from '../_ui/confirm-dialog.client.tsx'
import { Modal } from '../_ui/dialog.client.tsx'
import { TextField } from '../_ui/field.client.tsx'
import { DialogForm } from '../_ui/form.client.tsx'
import { SelectField } from '../_ui/select.client.tsx'
import { useAction } from '../_ui/use-action.ts'

type Kind = RecordsBy['kind']

/** What sets the records that the authority wants to see, so that nobody has to. */
export function RecordsButton({ id, name }: { id: string; name: string }) {
  const t = useTranslations('domains.recordsBy')
  const tCommon = useTranslations('common')
  const { run, pending, form, errorOf, summary, clear } = useAction()
  const [open, setOpen] = useState(false)
  const [kind, setKind] = useState<Kind>('rfc2136')
  const [algorithm, setAlgorithm] = useState<TsigAlgorithm>('hmac-sha256')
  const problem = summary(['server', 'zone', 'keyName', 'algorithm', 'secret', 'url', 'token'])

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
          const input = inputOf(kind, algorithm, data)
          run(() => setRecordsByAction(id, input), { onDone: () => change(false), done: t('done') })
        }}
        problem={problem}
        pending={pending}
        submit={tCommon('save')}
      >
        <SelectField
          label={t('kind')}
          items={recordSetterKinds.map((value) => ({ value, label: t(`kinds.${value}`) }))}
          value={kind}
          onValueChange={(value) => setKind(value as Kind)}
        />
        {kind === 'webhook' ? (
          <>
            <TextField
              label={t('url')}
              name="url"
              mono
              placeholder="https://dns.example.com/records"
              description={t('urlDescription')}
              error={errorOf('url')}
            />
            <TextField
              label={t('token')}
              name="token"
              type="password"
              autoComplete="off"
              hint={t('optional')}
              description={t('secretDescription')}
              error={errorOf('token')}
            />
          </>
        ) : (
          <>
            <TextField
              label={t('server')}
              name="server"
              mono
              placeholder="ns1.example.com"
              error={errorOf('server')}
            />
            <TextField
              label={t('zone')}
              name="zone"
              mono
              hint={t('optional')}
              description={t('zoneDescription')}
              error={errorOf('zone')}
            />
            <TextField
              label={t('keyName')}
              name="keyName"
              mono
              placeholder="berth.example.com"
              error={errorOf('keyName')}
            />
            <SelectField
              label={t('algorithm')}
              items={tsigAlgorithms.map((value) => ({ value, label: value }))}
              value={algorithm}
              onValueChange={(value) => setAlgorithm(value as TsigAlgorithm)}
              error={errorOf('algorithm')}
            />
            <TextField
              label={t('secret')}
              name="secret"
              type="password"
              autoComplete="off"
              description={t('secretDescription')}
              error={errorOf('secret')}
            />
          </>
        )}
      </DialogForm>
    </Modal>
  )
}

function inputOf(kind: Kind, algorithm: TsigAlgorithm, data: FormData): RecordSetterInput {
  const text = (name: string) => String(data.get(name) ?? '')
  if (kind === 'webhook') return { kind, url: text('url'), token: text('token') }
  const zone = text('zone').trim()
  return {
    ...{ kind, algorithm, server: text('server'), keyName: text('keyName'), secret: text('secret') },
    zone: zone === '' ? null : zone,
  }
}

export function ByHandButton({ id, name }: { id: string; name: string }) {
  const t = useTranslations('domains.recordsBy')
  return (
    <ConfirmDialog
      title={t('byHandTitle', { name })}
      description={t('byHandDescription')}
      confirmLabel={t('byHand')}
      done={t('byHandDone')}
      trigger={<Button size="small">{t('byHand')}</Button>}
      action={() => removeRecordsByAction(id)}
    />
  )
}
