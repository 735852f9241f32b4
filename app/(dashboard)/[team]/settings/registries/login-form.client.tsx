'use client'

import { useTranslations } from 'next-intl'
import type { RegistryLogin } from '@/platform/model/registry-logins.ts'
import { createRegistryLoginAction, updateRegistryLoginAction } from '../../../../_actions/registries.ts'
import { Button } from '../../../../_ui/button.tsx'
import { ModalClose } from '../../../../_ui/dialog.client.tsx'
import { TextField } from '../../../../_ui/field.client.tsx'
import { Notice } from '../../../../_ui/notice.tsx'
import { useAction } from '../../../../_ui/use-action.ts'

type LoginFormProps = { onDone(): void } & ({ teamId: string } | { login: RegistryLogin })

/** A new login, or another user name, password or note for one. */
export function LoginForm({ onDone, ...of }: LoginFormProps) {
  const t = useTranslations('registries')
  const tCommon = useTranslations('common')
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
    <form
      ref={form}
      noValidate
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        submit(new FormData(event.currentTarget))
      }}
    >
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
      {problem !== null && <Notice tone="danger">{problem}</Notice>}
      <div className="flex justify-end gap-2">
        <ModalClose render={<Button>{tCommon('cancel')}</Button>} />
        <Button type="submit" tone="primary" pending={pending}>
          {t('testAndSave')}
        </Button>
      </div>
    </form>
  )
}
