'use client'

import { useTranslations } from 'next-intl'
import type { RegistryLogin } from '@/platform/model/registry-logins.ts'
import { createRegistryLoginAction, updateRegistryLoginAction } from '../../../../_actions/registries.ts'
import { TextField } from '../../../../_ui/field.client.tsx'
import { DialogForm } from '../../../../_ui/form.client.tsx'
import { useAction } from '../../../../_ui/use-action.ts'

type LoginFormProps = { onDone(): void } & ({ teamId: string } | { login: RegistryLogin })

/** A new login, or another user name, password or note for one. */
export function LoginForm({ onDone, ...of }: LoginFormProps) {
  const t = useTranslations('registries')
  const { run, pending, form, errorOf, summary } = useAction()
  const kept = 'login' in of ? of.login : null
  const problem = summary(['host', 'prefix', 'username', 'password', 'note'])

  function submit(fields: FormData) {
    const text = (name: string) => String(fields.get(name) ?? '')
    const [username, password, note] = [text('username'), text('password'), text('note')]
    const act = () => {
      if ('teamId' in of) {
        const input = { host: text('host'), prefix: text('prefix'), username, password, note }
        return createRegistryLoginAction(of.teamId, input)
      }
      return updateRegistryLoginAction(of.login.id, {
        ...(username === of.login.username ? {} : { username }),
        ...(password === '' ? {} : { password }),
        note,
      })
    }
    run(act, { onDone, done: t('saved') })
  }

  return (
    <DialogForm form={form} onSubmit={submit} problem={problem} pending={pending} submit={t('testAndSave')}>
      {kept === null && (
        <>
          <TextField
            label={t('host')}
            name="host"
            mono
            autoFocus
            spellCheck={false}
            placeholder="ghcr.io"
            description={t('hostDescription')}
            error={errorOf('host')}
          />
          <TextField
            label={t('prefix')}
            name="prefix"
            mono
            spellCheck={false}
            placeholder="acme/shop"
            hint={t('optional')}
            description={t('prefixDescription')}
            error={errorOf('prefix')}
          />
        </>
      )}
      <TextField
        label={t('username')}
        name="username"
        spellCheck={false}
        defaultValue={kept?.username}
        error={errorOf('username')}
      />
      <TextField
        label={t('password')}
        name="password"
        type="password"
        autoComplete="new-password"
        description={kept === null ? t('passwordDescription') : t('passwordKept')}
        error={errorOf('password')}
      />
      <TextField
        label={t('note')}
        name="note"
        hint={t('optional')}
        defaultValue={kept?.note}
        error={errorOf('note')}
      />
    </DialogForm>
  )
}
