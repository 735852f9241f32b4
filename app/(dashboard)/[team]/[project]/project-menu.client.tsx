'use client'

import { Braces, Ellipsis, Pencil, Trash2, Users } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { deleteProjectAction, renameProjectAction } from '../../../_actions/teams.ts'
import { NameForm } from '../../../_shell/name-form.client.tsx'
import { buttonStyle } from '../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../_ui/confirm-dialog.client.tsx'
import { Modal } from '../../../_ui/dialog.client.tsx'
import { MenuButton, MenuItem, MenuLink } from '../../../_ui/menu.client.tsx'

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
  const [open, setOpen] = useState<'rename' | 'delete' | null>(null)
  return (
    <>
      <MenuButton
        label={t('menu')}
        triggerClassName={buttonStyle({ tone: 'secondary', className: 'w-9 px-0' })}
        trigger={<Ellipsis aria-hidden />}
      >
        <MenuItem onClick={() => setOpen('rename')}>
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
          <MenuItem danger onClick={() => setOpen('delete')}>
            <Trash2 aria-hidden />
            {t('delete')}
          </MenuItem>
        )}
      </MenuButton>
      <Modal
        open={open === 'rename'}
        onOpenChange={(next) => setOpen(next ? 'rename' : null)}
        title={t('renameTitle', { name: project.name })}
      >
        <NameForm
          label={t('name')}
          submitLabel={t('rename')}
          action={(name) => renameProjectAction(project.id, { name })}
          onDone={() => setOpen(null)}
        />
      </Modal>
      <ConfirmDialog
        open={open === 'delete'}
        onOpenChange={(next) => setOpen(next ? 'delete' : null)}
        title={t('deleteTitle', { name: project.name })}
        description={t('deleteDescription')}
        confirmLabel={t('delete')}
        action={() => deleteProjectAction(project.id)}
        onDone={() => router.push(teamPath)}
      />
    </>
  )
}
