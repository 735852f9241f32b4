'use client'

import { useLocale, useTranslations } from 'next-intl'
import type { ProcessSettings } from '@/platform/model/app-settings.ts'
import { removeProcessAction, scaleAppAction } from '../../../../_actions/apps.ts'
import { textFromCommand } from '../../../../_deploy/settings-form.ts'
import { Button } from '../../../../_ui/button.tsx'
import { Card, CardHeader } from '../../../../_ui/card.tsx'
import { ConfirmDialog } from '../../../../_ui/confirm-dialog.client.tsx'
import { formatBytes } from '../../../../_ui/format.ts'
import { useAction } from '../../../../_ui/use-action.ts'
import { ProcessDialog } from './process-dialog.client.tsx'

interface ProcessesCardProps {
  appId: string
  processes: Record<string, ProcessSettings>
  /** How many of each are live. */
  live: Record<string, { replicas: number }>
  canChange: boolean
}

/** What runs beside web from the same image. */
export function ProcessesCard({ appId, processes, live, canChange }: ProcessesCardProps) {
  const t = useTranslations('processes')
  const locale = useLocale()
  const { run, pending } = useAction()
  const all = Object.entries(processes).sort(([a], [b]) => (a < b ? -1 : 1))
  const scale = (process: string, replicas: number) => run(() => scaleAppAction(appId, { process, replicas }))
  return (
    <Card aria-labelledby="processes">
      <CardHeader
        titleId="processes"
        title={t('title')}
        description={t('description')}
        actions={canChange && <ProcessDialog appId={appId} />}
      />
      <ul className={all.length === 0 ? 'mt-4' : 'mt-3 divide-y border-t'}>
        {all.map(([name, own]) => {
          const replicas = live[name]?.replicas
          return (
            <li key={name} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
              <div className="min-w-0 flex-1">
                <p className="font-medium">{name}</p>
                <p className="break-all font-mono text-muted text-xs">
                  {textFromCommand([...(own.entrypoint ?? []), ...own.command])}
                </p>
                <p className="text-muted text-xs">
                  {t('size', {
                    replicas: replicas ?? own.replicas,
                    memory: formatBytes(own.limits.memoryBytes, locale),
                  })}
                  {replicas === undefined && ` · ${t('notLive')}`}
                </p>
              </div>
              {canChange && (
                <div className="flex flex-wrap gap-1.5">
                  {replicas !== undefined && (
                    <>
                      <Button
                        size="small"
                        disabled={pending || replicas === 0}
                        aria-label={t('fewer', { name })}
                        onClick={() => scale(name, replicas - 1)}
                      >
                        −
                      </Button>
                      <Button
                        size="small"
                        disabled={pending || replicas === 20}
                        aria-label={t('more', { name })}
                        onClick={() => scale(name, replicas + 1)}
                      >
                        +
                      </Button>
                    </>
                  )}
                  <ProcessDialog appId={appId} name={name} own={own} />
                  <ConfirmDialog
                    title={t('removeTitle', { name })}
                    description={t('removeDescription')}
                    confirmLabel={t('remove')}
                    action={() => removeProcessAction(appId, name)}
                    trigger={<Button size="small">{t('remove')}</Button>}
                  />
                </div>
              )}
            </li>
          )
        })}
      </ul>
    </Card>
  )
}
