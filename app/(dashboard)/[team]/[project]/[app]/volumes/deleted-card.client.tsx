'use client'

import { Undo2 } from 'lucide-react'
import { useFormatter, useLocale, useTranslations } from 'next-intl'
import type { Volume } from '@/platform/model/volumes.ts'
import { undeleteVolumeAction } from '../../../../../_actions/volumes.ts'
import { Button } from '../../../../../_ui/button.tsx'
import { Card, CardHeader } from '../../../../../_ui/card.tsx'
import { formatBytes } from '../../../../../_ui/format.ts'
import { useAction } from '../../../../../_ui/use-action.ts'

interface DeletedCardProps {
  appId: string
  /** Of the app, and of apps of the project that are gone. */
  volumes: Volume[]
  canEdit: boolean
}

/** What is deleted and not removed yet. */
export function DeletedCard({ appId, volumes, canEdit }: DeletedCardProps) {
  const t = useTranslations('volumes')
  const format = useFormatter()
  const locale = useLocale()
  const { run, pending } = useAction()
  return (
    <Card aria-labelledby="deleted-volumes">
      <CardHeader titleId="deleted-volumes" title={t('deleted')} description={t('deletedDescription')} />
      <ul className="mt-3 divide-y border-t" aria-labelledby="deleted-volumes">
        {volumes.map((volume) => (
          <li key={volume.id} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
            <div className="min-w-0 flex-[1_1_14rem]">
              <p className="break-words">
                <span className="font-medium">{volume.name}</span>{' '}
                <code className="text-[13px]">{volume.mountPath}</code>
              </p>
              <p className="text-muted text-xs">
                {volume.appId === null && `${t('ofApp', { app: volume.appName })} · `}
                {formatBytes(volume.usedBytes ?? volume.sizeBytes, locale)}
                {volume.purgeAt !== null &&
                  ` · ${t('purgeAt', { time: format.dateTime(new Date(volume.purgeAt), { dateStyle: 'medium', timeStyle: 'short' }) })}`}
              </p>
            </div>
            {canEdit && (
              <Button
                size="small"
                pending={pending}
                aria-label={t('undoOf', { name: volume.name })}
                onClick={() => run(() => undeleteVolumeAction(volume.id, { appId }))}
              >
                <Undo2 aria-hidden />
                {volume.appId === null ? t('take') : t('undo')}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Card>
  )
}
