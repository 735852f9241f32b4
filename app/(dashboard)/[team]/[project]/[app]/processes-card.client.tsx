'use client'

import { Plus } from 'lucide-react'
import { useLocale, useTranslations } from 'next-intl'
import { useState } from 'react'
import type { ProcessSettings } from '@/platform/model/app-settings.ts'
import { putProcessAction, removeProcessAction, scaleAppAction } from '../../../../_actions/apps.ts'
import { commandFromText, textFromCommand } from '../../../../_deploy/settings-form.ts'
import { Button } from '../../../../_ui/button.tsx'
import { Card, CardHeader } from '../../../../_ui/card.tsx'
import { ConfirmDialog } from '../../../../_ui/confirm-dialog.client.tsx'
import { Modal, ModalClose } from '../../../../_ui/dialog.client.tsx'
import { TextAreaField, TextField } from '../../../../_ui/field.client.tsx'
import { formatBytes } from '../../../../_ui/format.ts'
import { Notice } from '../../../../_ui/notice.tsx'
import { useAction } from '../../../../_ui/use-action.ts'

const mebibyte = 2 ** 20

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
      <ul className="mt-3 divide-y border-t">
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

/** A new process, or one that is there. What the form does not show of it stays. */
function ProcessDialog({ appId, name, own }: { appId: string; name?: string; own?: ProcessSettings }) {
  const t = useTranslations('processes')
  const tCommon = useTranslations('common')
  const [open, setOpen] = useState(false)
  const { run, pending, errorOf, summary, form } = useAction()
  const problem = summary(['name', 'command', 'replicas', 'limits.memoryBytes', 'limits.cpuMillis'])

  function submit(data: FormData) {
    const text = (field: string) => String(data.get(field) ?? '').trim()
    const input = {
      ...own,
      command: commandFromText(text('command')) ?? [],
      replicas: Number(text('replicas')),
      limits: {
        ...own?.limits,
        memoryBytes: Math.round(Number(text('memory')) * mebibyte),
        cpuMillis: Math.round(Number(text('cpu').replace(',', '.')) * 1_000),
      },
    }
    run(() => putProcessAction(appId, name ?? text('name'), input), {
      onDone: () => setOpen(false),
      done: tCommon('saved'),
    })
  }

  return (
    <Modal
      open={open}
      onOpenChange={setOpen}
      title={name === undefined ? t('add') : t('editTitle', { name })}
      description={t('formDescription')}
      trigger={
        name === undefined ? (
          <Button size="small">
            <Plus aria-hidden />
            {t('add')}
          </Button>
        ) : (
          <Button size="small" aria-label={t('editTitle', { name })}>
            {t('edit')}
          </Button>
        )
      }
    >
      <form
        ref={form}
        noValidate
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault()
          submit(new FormData(event.currentTarget))
        }}
      >
        {name === undefined && (
          <TextField label={t('name')} name="name" autoFocus placeholder="worker" error={errorOf('name')} />
        )}
        <TextAreaField
          label={t('command')}
          name="command"
          rows={2}
          mono
          defaultValue={textFromCommand(own?.command ?? null)}
          description={t('commandDescription')}
          error={errorOf('command')}
        />
        <div className="grid gap-4 sm:grid-cols-3">
          <TextField
            label={t('replicas')}
            name="replicas"
            inputMode="numeric"
            defaultValue={String(own?.replicas ?? 1)}
            error={errorOf('replicas')}
          />
          <TextField
            label={t('memory')}
            name="memory"
            inputMode="numeric"
            suffix="MiB"
            defaultValue={String((own?.limits.memoryBytes ?? 512 * mebibyte) / mebibyte)}
            error={errorOf('limits.memoryBytes')}
          />
          <TextField
            label={t('cpu')}
            name="cpu"
            inputMode="decimal"
            defaultValue={String((own?.limits.cpuMillis ?? 1_000) / 1_000)}
            error={errorOf('limits.cpuMillis')}
          />
        </div>
        {problem !== null && <Notice tone="danger">{problem}</Notice>}
        <div className="flex justify-end gap-2">
          <ModalClose render={<Button>{tCommon('cancel')}</Button>} />
          <Button tone="primary" type="submit" pending={pending}>
            {tCommon('save')}
          </Button>
        </div>
      </form>
    </Modal>
  )
}
