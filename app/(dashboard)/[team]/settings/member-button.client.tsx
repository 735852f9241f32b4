'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import type { Role } from '@/platform/model/roles.ts'
import { changeRoleAction, removeMemberAction } from '../../../_actions/members.ts'
import { Button } from '../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../_ui/confirm-dialog.client.tsx'
import { Modal } from '../../../_ui/dialog.client.tsx'
import { DialogForm } from '../../../_ui/form.client.tsx'
import { useAction } from '../../../_ui/use-action.ts'
import { RoleField } from './role-field.client.tsx'

interface MemberButtonProps {
  teamId: string
  member: { userId: string; name: string; role: Role }
  /** Those that the viewer may give. */
  roles: Role[]
}

/** Another member's role, or the way out for him. */
export function MemberButton({ teamId, member, roles }: MemberButtonProps) {
  const t = useTranslations('team')
  const tCommon = useTranslations('common')
  const { run, pending, form, summary } = useAction()
  const [open, setOpen] = useState(false)
  const [role, setRole] = useState(member.role)
  return (
    <Modal
      open={open}
      onOpenChange={(next) => {
        setOpen(next)
        setRole(member.role)
      }}
      title={member.name}
      trigger={
        <Button size="small" aria-label={t('manageName', { name: member.name })}>
          {t('manage')}
        </Button>
      }
    >
      <DialogForm
        form={form}
        onSubmit={() => {
          run(() => changeRoleAction(teamId, member.userId, { role }), {
            done: tCommon('saved'),
            onDone: () => setOpen(false),
          })
        }}
        problem={summary()}
        pending={pending}
        submit={tCommon('save')}
        disabled={role === member.role}
        actions={
          <ConfirmDialog
            title={t('removeTitle', { name: member.name })}
            description={t('removeDescription')}
            confirmLabel={t('remove')}
            done={t('removed')}
            trigger={
              <Button tone="danger" className="mr-auto">
                {t('remove')}
              </Button>
            }
            action={() => removeMemberAction(teamId, member.userId)}
            onDone={() => setOpen(false)}
          />
        }
      >
        <RoleField roles={roles} value={role} onValueChange={setRole} />
      </DialogForm>
    </Modal>
  )
}
