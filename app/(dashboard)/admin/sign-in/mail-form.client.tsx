'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { type MailState, mailSecurities } from '@/platform/model/mail-settings.ts'
import { changeMailAction, removeMailAction } from '../../../_actions/sign-in.ts'
import { Button } from '../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../_ui/confirm-dialog.client.tsx'
import { PasswordField, TextAreaField, TextField } from '../../../_ui/field.client.tsx'
import { Form } from '../../../_ui/form.client.tsx'
import { SelectField } from '../../../_ui/select.client.tsx'
import { useAction } from '../../../_ui/use-action.ts'

const usualPorts = { starttls: '587', tls: '465', none: '25' }
const shown = ['host', 'port', 'user', 'password', 'from', 'fromName', 'authority']

export function MailForm({ server }: { server: MailState['server'] }) {
  const t = useTranslations('signInAdmin')
  const tCommon = useTranslations('common')
  const tSignIn = useTranslations('signIn')
  const { run, pending, form, errorOf, summary } = useAction()
  const [security, setSecurity] = useState(server?.security ?? 'starttls')
  const [port, setPort] = useState(String(server?.port ?? usualPorts.starttls))
  const problem = summary(shown)

  function choose(value: string) {
    const chosen = mailSecurities.find((each) => each === value) ?? 'starttls'
    if (port === usualPorts[security]) setPort(usualPorts[chosen])
    setSecurity(chosen)
  }

  function submit(data: FormData) {
    const text = (name: string) => String(data.get(name) ?? '').trim()
    const password = String(data.get('password') ?? '')
    const fromName = text('fromName')
    const input = {
      ...{ host: text('host'), port: Number(port), security, user: text('user'), from: text('from') },
      ...{ authority: text('authority'), ...(fromName === '' ? {} : { fromName }) },
      ...(password === '' ? {} : { password }),
    }
    run(() => changeMailAction(input), { done: tCommon('saved') })
  }

  return (
    <Form
      form={form}
      onSubmit={submit}
      problem={problem}
      pending={pending}
      submit={tCommon('save')}
      actions={
        server !== null && (
          <ConfirmDialog
            title={t('removeMailTitle')}
            description={t('removeMailDescription')}
            confirmLabel={t('removeMail')}
            done={tCommon('saved')}
            trigger={<Button>{t('removeMail')}</Button>}
            action={() => removeMailAction()}
          />
        )
      }
    >
      <div className="grid gap-4 sm:grid-cols-[1fr_7rem]">
        <TextField
          label={t('host')}
          name="host"
          defaultValue={server?.host ?? ''}
          placeholder="smtp.example.org"
          error={errorOf('host')}
        />
        <TextField
          label={t('port')}
          value={port}
          onValueChange={setPort}
          inputMode="numeric"
          error={errorOf('port')}
        />
      </div>
      <SelectField
        label={t('security')}
        value={security}
        onValueChange={choose}
        items={mailSecurities.map((value) => ({ value, label: t(`securities.${value}`) }))}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField
          label={t('mailUser')}
          name="user"
          hint={t('optional')}
          defaultValue={server?.user ?? ''}
          error={errorOf('user')}
        />
        <PasswordField
          label={tSignIn('password')}
          name="password"
          autoComplete="off"
          showLabel={tSignIn('show')}
          hideLabel={tSignIn('hide')}
          description={server?.hasPassword === true ? t('keptSecret') : undefined}
          error={errorOf('password')}
        />
        <TextField
          label={t('from')}
          name="from"
          type="email"
          defaultValue={server?.from ?? ''}
          error={errorOf('from')}
        />
        <TextField
          label={t('fromName')}
          name="fromName"
          defaultValue={server?.fromName ?? 'Berth'}
          error={errorOf('fromName')}
        />
      </div>
      <details open={(server?.authority ?? '') !== ''}>
        <summary className="w-fit cursor-pointer text-muted">{t('authority')}</summary>
        <TextAreaField
          className="mt-3"
          label={t('authorityLabel')}
          description={t('authorityDescription')}
          name="authority"
          defaultValue={server?.authority ?? ''}
          error={errorOf('authority')}
          mono
        />
      </details>
    </Form>
  )
}
