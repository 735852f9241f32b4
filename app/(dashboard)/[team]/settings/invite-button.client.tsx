'use client'

import { UserPlus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import type { Role } from '@/platform/model/roles.ts'
import { inviteAction } from '../../../_actions/members.ts'
import { Button } from '../../../_ui/button.tsx'
import { Modal, ModalClose } from '../../../_ui/dialog.client.tsx'
import { TextField } from '../../../_ui/field.client.tsx'
import { DialogForm } from '../../../_ui/form.client.tsx'
import { ShownOnce } from '../../../_ui/shown-once.client.tsx'
import { useAction } from '../../../_ui/use-action.ts'
import { RoleField } from './role-field.client.tsx'

interface InviteProps {
  teamId: string
  /** Those that the viewer may give. */
  roles: Role[]
}

interface Made {
  /** Null where a letter carries it. */
  url: string | null
  email: string
}

export function InviteButton({ teamId, roles }: InviteProps) {
  const t = useTranslations('team')
  const tCommon = useTranslations('common')
  const [open, setOpen] = useState(false)
  const [made, setMade] = useState<Made | null>(null)
  return (
    <Modal
      open={open}
      onOpenChange={(next) => {
        setOpen(next)
        // Not on closing: it would still be seen to change.
        if (next) setMade(null)
      }}
      title={made === null ? t('inviteTitle') : t(made.url === null ? 'mailedTitle' : 'linkTitle')}
      description={
        made === null
          ? t('inviteDescription')
          : t(made.url === null ? 'mailedDescription' : 'linkDescription', { email: made.email })
      }
      trigger={
        <Button size="small">
          <UserPlus aria-hidden />
          {t('invite')}
        </Button>
      }
    >
      {made === null ? (
        <InviteForm teamId={teamId} roles={roles} onDone={setMade} />
      ) : made.url === null ? (
        <div className="flex justify-end">
          <ModalClose render={<Button tone="primary">{tCommon('done')}</Button>} />
        </div>
      ) : (
        <ShownOnce label={t('link')} copyLabel={t('copyLink')} text={made.url} />
      )}
    </Modal>
  )
}

interface InviteFormProps extends InviteProps {
  onDone(made: Made): void
}

function InviteForm({ teamId, roles, onDone }: InviteFormProps) {
  const t = useTranslations('team')
  const tSignIn = useTranslations('signIn')
  const { run, pending, form, errorOf, summary } = useAction()
  const [role, setRole] = useState<Role>('developer')
  const problem = summary(['email'])
  return (
    <DialogForm
      form={form}
      onSubmit={(data) => {
        const email = String(data.get('email') ?? '')
        run(() => inviteAction(teamId, { email, role }), { onDone })
      }}
      problem={problem}
      pending={pending}
      submit={t('invite')}
    >
      <TextField
        label={tSignIn('email')}
        name="email"
        type="email"
        autoComplete="off"
        error={errorOf('email')}
        autoFocus
      />
      <RoleField roles={roles} value={role} onValueChange={setRole} />
    </DialogForm>
  )
}
