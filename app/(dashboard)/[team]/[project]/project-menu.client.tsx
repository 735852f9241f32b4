'use client'

import { Braces, Pencil, Trash2, Users } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { deleteProjectAction, renameProjectAction } from '../../../_actions/teams.ts'
import { NameForm } from '../../../_shell/name-form.client.tsx'
import { ConfirmDialog } from '../../../_ui/confirm-dialog.client.tsx'
import { Modal, useDialogs } from '../../../_ui/dialog.client.tsx'
import { MenuItem, MenuLink, MoreMenu } from '../../../_ui/menu.client.tsx'

interface ProjectMenuProps {
  teamPath: string
  path: string
  project: { id: string; name: string }
  canDelete: boolean
}

export function ProjectMenu({ teamPath, path, project, canDelete }: ProjectMenuProps) {
  const t = useTranslations('project')
  const tPages = useTranslations('teamPages')
  const tVariables = useTranslations('variables')
  const router = useRouter()
  const dialogs = useDialogs<'rename' | 'delete'>()
  return (
    <>
      <MoreMenu label={t('menu')} of="page">
        <MenuItem onClick={() => dialogs.show('rename')}>
          <Pencil aria-hidden />
          {t('rename')}
        </MenuItem>
        <MenuLink href={`${path}/settings/variables`}>
          <Braces aria-hidden />
          {tVariables('shared')}
        </MenuLink>
        {canDelete && (
          <MenuLink href={`${path}/settings`}>
            <Users aria-hidden />
            {tPages('access')}
          </MenuLink>
        )}
        {canDelete && (
          <MenuItem danger onClick={() => dialogs.show('delete')}>
            <Trash2 aria-hidden />
            {t('delete')}
          </MenuItem>
        )}
      </MoreMenu>
      <Modal {...dialogs.of('rename')} title={t('renameTitle', { name: project.name })}>
        <NameForm
          label={t('name')}
          submitLabel={t('rename')}
          action={(name) => renameProjectAction(project.id, { name })}
          onDone={dialogs.close}
        />
      </Modal>
      <ConfirmDialog
        {...dialogs.of('delete')}
        title={t('deleteTitle', { name: project.name })}
        description={t('deleteDescription')}
        confirmLabel={t('delete')}
        action={() => deleteProjectAction(project.id)}
        onDone={() => router.push(teamPath)}
      />
    </>
  )
}
