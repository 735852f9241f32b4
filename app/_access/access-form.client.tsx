'use client'

import { Plus, X } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import type { ShownEdgeAccess } from '@/platform/model/edge-access.ts'
import { setEdgeAccessAction } from '../_actions/edge-access.ts'
import { Button } from '../_ui/button.tsx'
import { TextAreaField, TextField } from '../_ui/field.client.tsx'
import { Form } from '../_ui/form.client.tsx'
import { useAction } from '../_ui/use-action.ts'

interface AccessFormProps {
  appId: string
  access: ShownEdgeAccess
  canChange: boolean
}

interface Row {
  key: number
  name: string
  /** Empty: of one who is there it stays. */
  password: string
  isNew: boolean
}

export function AccessForm({ appId, access, canChange }: AccessFormProps) {
  const t = useTranslations('edgeAccess')
  const tCommon = useTranslations('common')
  const { run, pending, errorOf, summary, form, problem } = useAction()
  const [users, setUsers] = useState<Row[]>(
    access.users.map(({ name }, key) => ({ key, name, password: '', isNew: false })),
  )
  const [addresses, setAddresses] = useState(access.addresses.join('\n'))
  const change = (key: number, next: Partial<Row>) =>
    setUsers(users.map((user) => (user.key === key ? { ...user, ...next } : user)))
  const shown = users.flatMap((_, at) => [`users.${at}.name`, `users.${at}.password`])
  const ofAddresses = problem?.fields.find(({ path }) => path.startsWith('addresses'))?.path
  const rest = summary([...shown, ...(ofAddresses === undefined ? [] : [ofAddresses])])

  function submit() {
    const input = {
      users: users.map(({ name, password }) => ({ name, ...(password === '' ? {} : { password }) })),
      addresses: addresses.split(/[\s,]+/).filter((address) => address !== ''),
    }
    run(() => setEdgeAccessAction(appId, input), { done: tCommon('saved'), onDone: goOnFrom })
  }

  /** What was saved is where one goes on from; what was typed meanwhile stays. */
  function goOnFrom(saved: ShownEdgeAccess) {
    const sent = new Map(users.map(({ key, password }) => [key, password]))
    setUsers((now) =>
      now.map((user) =>
        sent.has(user.key)
          ? { ...user, isNew: false, password: user.password === sent.get(user.key) ? '' : user.password }
          : user,
      ),
    )
    setAddresses((now) => (now === addresses ? saved.addresses.join('\n') : now))
  }

  return (
    <Form
      form={form}
      onSubmit={submit}
      problem={rest}
      pending={pending}
      submit={tCommon('save')}
      readOnly={!canChange}
    >
      <fieldset className="space-y-3" disabled={!canChange}>
        <legend className="font-medium">{t('users')}</legend>
        <p className="max-w-prose text-muted">{t('usersDescription')}</p>
        {users.map((user, at) => (
          <div key={user.key} className="flex flex-wrap items-start gap-3">
            <TextField
              className="min-w-0 flex-[1_1_10rem]"
              label={t('name')}
              value={user.name}
              onValueChange={(name) => change(user.key, { name })}
              disabled={!canChange || !user.isNew}
              spellCheck={false}
              error={errorOf(`users.${at}.name`)}
            />
            <TextField
              className="min-w-0 flex-[1_1_10rem]"
              label={t('password')}
              type="password"
              autoComplete="new-password"
              value={user.password}
              onValueChange={(password) => change(user.key, { password })}
              placeholder={user.isNew ? '' : t('stays')}
              error={errorOf(`users.${at}.password`)}
            />
            {canChange && (
              <Button
                tone="ghost"
                size="icon"
                className="mt-6"
                aria-label={t('removeUser', { name: user.name })}
                onClick={() => setUsers(users.filter(({ key }) => key !== user.key))}
              >
                <X aria-hidden />
              </Button>
            )}
          </div>
        ))}
        {canChange && (
          <Button
            size="small"
            onClick={() => {
              const key = 1 + Math.max(-1, ...users.map((user) => user.key))
              setUsers([...users, { key, name: '', password: '', isNew: true }])
            }}
          >
            <Plus aria-hidden />
            {t('addUser')}
          </Button>
        )}
      </fieldset>
      <TextAreaField
        label={t('addresses')}
        description={t('addressesDescription')}
        rows={3}
        mono
        placeholder="203.0.113.0/24"
        value={addresses}
        onValueChange={setAddresses}
        disabled={!canChange}
        error={ofAddresses === undefined ? undefined : errorOf(ofAddresses)}
      />
    </Form>
  )
}
