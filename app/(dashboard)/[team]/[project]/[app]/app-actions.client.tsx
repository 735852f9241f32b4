'use client'

import { CircleStop, Play, Trash2 } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { deleteAppAction, startAppAction, stopAppAction } from '../../../../_actions/apps.ts'
import { UploadButton } from '../../../../_builds/upload-button.client.tsx'
import { ActionButton } from '../../../../_ui/action-button.client.tsx'
import { Button } from '../../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../../_ui/confirm-dialog.client.tsx'
import { MenuItem, MoreMenu } from '../../../../_ui/menu.client.tsx'
import { DeployButton } from './deploy-button.client.tsx'

interface AppActionsProps {
  app: {
    id: string
    name: string
    isStopped: boolean
    hasLive: boolean
    isDeployed: boolean
    stopsFirst: boolean
  }
  path: string
  projectPath: string
}

export function AppActions({ app, path, projectPath }: AppActionsProps) {
  const t = useTranslations('app')
  const [deleting, setDeleting] = useState(false)
  return (
    <div className="flex flex-wrap items-center gap-2">
      {app.isStopped && app.hasLive && (
        <ActionButton action={() => startAppAction(app.id)}>
          <Play aria-hidden />
          {t('start')}
        </ActionButton>
      )}
      {!app.isStopped && app.hasLive && (
        <ConfirmDialog
          title={t('stopTitle', { name: app.name })}
          description={t('stopDescription')}
          confirmLabel={t('stop')}
          action={() => stopAppAction(app.id)}
          trigger={
            <Button>
              <CircleStop aria-hidden />
              <span className="max-sm:sr-only">{t('stop')}</span>
            </Button>
          }
        />
      )}
      <UploadButton appId={app.id} path={path} />
      <DeployButton
        appId={app.id}
        isDeployed={app.isDeployed}
        hasGap={app.stopsFirst && app.hasLive && !app.isStopped}
        path={path}
      />
      <MoreMenu label={t('menu')} of="page">
        <MenuItem danger onClick={() => setDeleting(true)}>
          <Trash2 aria-hidden />
          {t('delete')}
        </MenuItem>
      </MoreMenu>
      <DeleteAppDialog app={app} open={deleting} onOpenChange={setDeleting} projectPath={projectPath} />
    </div>
  )
}

interface DeleteAppDialogProps {
  app: { id: string; name: string }
  open: boolean
  onOpenChange(open: boolean): void
  projectPath: string
}

export function DeleteAppDialog({ app, open, onOpenChange, projectPath }: DeleteAppDialogProps) {
  const t = useTranslations('app')
  const router = useRouter()
  return (
    <ConfirmDialog
      open={open}
      onOpenChange={onOpenChange}
      title={t('deleteTitle', { name: app.name })}
      description={t('deleteDescription')}
      typed={app.name}
      confirmLabel={t('delete')}
      action={() => deleteAppAction(app.id)}
      done={t('deleted', { name: app.name })}
      onDone={() => router.push(projectPath)}
    />
  )
}
