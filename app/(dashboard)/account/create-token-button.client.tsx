'use client'

import { Plus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import type { Role } from '@/platform/model/roles.ts'
import { roles } from '@/platform/model/roles.ts'
import { createTokenAction } from '../../_actions/account.ts'
import { Button } from '../../_ui/button.tsx'
import { Modal, ModalClose } from '../../_ui/dialog.client.tsx'
import { TextField } from '../../_ui/field.client.tsx'
import { Notice } from '../../_ui/notice.tsx'
import { SelectField } from '../../_ui/select.client.tsx'
import { ShownOnce } from '../../_ui/shown-once.client.tsx'
import { useAction } from '../../_ui/use-action.ts'

const every = 'every'
const lifetimes = ['30', '90', '365', 'never'] as const

export function CreateTokenButton({ teams }: { teams: { id: string; name: string }[] }) {
  const t = useTranslations('account')
  const [open, setOpen] = useState(false)
  const [secret, setSecret] = useState<string | null>(null)
  return (
    <Modal
      open={open}
      onOpenChange={(next) => {
        setOpen(next)
        // Not on closing: it would still be seen to change.
        if (next) setSecret(null)
      }}
      title={secret === null ? t('createTitle') : t('createdTitle')}
      description={secret === null ? t('createDescription') : t('createdDescription')}
      trigger={
        <Button size="small">
          <Plus aria-hidden />
          {t('create')}
        </Button>
      }
    >
      {secret === null ? (
        <TokenForm teams={teams} onDone={setSecret} />
      ) : (
        <ShownOnce label={t('secret')} copyLabel={t('copyToken')} text={secret} />
      )}
    </Modal>
  )
}

interface TokenFormProps {
  teams: { id: string; name: string }[]
  onDone(secret: string): void
}

function TokenForm({ teams, onDone }: TokenFormProps) {
  const t = useTranslations('account')
  const tTeam = useTranslations('team')
  const tCommon = useTranslations('common')
  const { run, pending, form, errorOf, summary } = useAction()
  const [team, setTeam] = useState(every)
  const [role, setRole] = useState<Role>('developer')
  const [lifetime, setLifetime] = useState<string>('90')
  const problem = summary(['name'])

  function submit(name: string) {
    const expiresAt =
      lifetime === 'never' ? undefined : new Date(Date.now() + Number(lifetime) * 86_400_000).toISOString()
    run(() => createTokenAction({ name, role, expiresAt, teamId: team === every ? undefined : team }), {
      onDone: ({ secret }) => onDone(secret),
    })
  }

  return (
    <form
      ref={form}
      noValidate
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        submit(String(new FormData(event.currentTarget).get('name') ?? ''))
      }}
    >
      <TextField label={t('tokenName')} name="name" error={errorOf('name')} autoFocus />
      <SelectField
        label={t('tokenTeam')}
        value={team}
        onValueChange={setTeam}
        items={[
          { value: every, label: t('allTeams') },
          ...teams.map(({ id, name }) => ({ value: id, label: name })),
        ]}
      />
      <div className="grid grid-cols-2 gap-4">
        <SelectField
          label={t('tokenRole')}
          value={role}
          onValueChange={(value) => setRole(roles.find((known) => known === value) ?? 'developer')}
          items={roles.map((value) => ({ value, label: tTeam(`role.${value}`) }))}
        />
        <SelectField
          label={t('tokenLifetime')}
          value={lifetime}
          onValueChange={setLifetime}
          items={lifetimes.map((value) => ({ value, label: t(`lifetime.${value}`) }))}
        />
      </div>
      {problem !== null && <Notice tone="danger">{problem}</Notice>}
      <div className="flex justify-end gap-2 pt-1">
        <ModalClose render={<Button>{tCommon('cancel')}</Button>} />
        <Button tone="primary" type="submit" pending={pending}>
          {t('create')}
        </Button>
      </div>
    </form>
  )
}
