'use client'

import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import type { NotificationChannel } from '@/platform/model/notifications.ts'
import {
  deleteChannelAction,
  enableChannelAction,
  rotateSecretAction,
  testChannelAction,
} from '../../../../_actions/notifications.ts'
import type { TeamPlaces } from '../../../../_tokens/places.ts'
import { ConfirmDialog } from '../../../../_ui/confirm-dialog.client.tsx'
import { Modal } from '../../../../_ui/dialog.client.tsx'
import { MenuItem, MoreMenu } from '../../../../_ui/menu.client.tsx'
import { ShownOnce } from '../../../../_ui/shown-once.client.tsx'
import { useAction } from '../../../../_ui/use-action.ts'
import { ChannelForm } from './channel-form.client.tsx'

interface ChannelMenuProps {
  channel: NotificationChannel
  /** Path of the page that shows what was sent. */
  log: string
  team: TeamPlaces
  people: { id: string; name: string }[]
}

/** What can be done with a channel. */
export function ChannelMenu({ channel, log, team, people }: ChannelMenuProps) {
  const t = useTranslations('notifications')
  const { run } = useAction()
  const router = useRouter()
  const [isDeleting, setDeleting] = useState(false)
  const [isEditing, setEditing] = useState(false)
  const [secret, setSecret] = useState<string | null>(null)
  const { id, name, kind, isEnabled } = channel
  return (
    <>
      <MoreMenu label={t('menu', { name })}>
        <MenuItem onClick={() => setEditing(true)}>{t('edit')}</MenuItem>
        {isEnabled && (
          <MenuItem
            onClick={() =>
              run(() => testChannelAction(id), { done: t('testSent'), onDone: () => router.push(log) })
            }
          >
            {t('test')}
          </MenuItem>
        )}
        {kind === 'webhook' && (
          <MenuItem
            onClick={() => run(() => rotateSecretAction(id), { onDone: (made) => setSecret(made.secret) })}
          >
            {t('rotate')}
          </MenuItem>
        )}
        <MenuItem onClick={() => run(() => enableChannelAction(id, !isEnabled))}>
          {isEnabled ? t('disable') : t('enable')}
        </MenuItem>
        <MenuItem danger onClick={() => setDeleting(true)}>
          {t('delete')}
        </MenuItem>
      </MoreMenu>
      <Modal open={isEditing} onOpenChange={setEditing} title={t('editTitle', { name })}>
        <ChannelForm team={team} people={people} channel={channel} onDone={() => setEditing(false)} />
      </Modal>
      <ConfirmDialog
        open={isDeleting}
        onOpenChange={setDeleting}
        title={t('deleteTitle', { name })}
        description={t('deleteDescription')}
        confirmLabel={t('delete')}
        action={() => deleteChannelAction(id)}
        done={t('deleted', { name })}
      />
      <Modal
        open={secret !== null}
        onOpenChange={(open) => !open && setSecret(null)}
        title={t('createdTitle')}
        description={t('createdDescription')}
      >
        <ShownOnce label={t('secret')} copyLabel={t('copySecret')} text={secret ?? ''} />
      </Modal>
    </>
  )
}
