'use client'

import { Plus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import type { ProcessSettings } from '@/platform/model/app-settings.ts'
import { putProcessAction } from '../../../../_actions/apps.ts'
import { TimingFields } from '../../../../_deploy/timing-fields.client.tsx'
import { Button } from '../../../../_ui/button.tsx'
import { Modal } from '../../../../_ui/dialog.client.tsx'
import { TextAreaField, TextField } from '../../../../_ui/field.client.tsx'
import { DialogForm } from '../../../../_ui/form.client.tsx'
import { useAction } from '../../../../_ui/use-action.ts'
import { formFromProcess, processFromForm, processPaths } from './process-form.ts'

/** A new process, or one that is there. */
export function ProcessDialog({ appId, name, own }: { appId: string; name?: string; own?: ProcessSettings }) {
  const t = useTranslations('processes')
  const tCommon = useTranslations('common')
  const [open, setOpen] = useState(false)
  const { run, pending, problem, errorOf, summary, clear, form } = useAction()
  const defaults = formFromProcess(own)
  const rest = summary(['name', ...Object.values(processPaths)])
  const isMoreWrong =
    problem?.fields.some(({ path }) => /^(entrypoint|healthCheck|stopGraceMs)/.test(path)) ?? false

  function change(next: boolean) {
    clear()
    setOpen(next)
  }

  function submit(data: FormData) {
    const called = name ?? String(data.get('name') ?? '').trim()
    run(() => putProcessAction(appId, called, processFromForm(data, own)), {
      onDone: () => change(false),
      done: tCommon('saved'),
    })
  }

  return (
    <Modal
      open={open}
      onOpenChange={change}
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
      <DialogForm form={form} onSubmit={submit} problem={rest} pending={pending} submit={tCommon('save')}>
        {name === undefined && (
          <TextField label={t('name')} name="name" autoFocus placeholder="worker" error={errorOf('name')} />
        )}
        <TextAreaField
          label={t('command')}
          name="command"
          rows={2}
          mono
          defaultValue={defaults.command}
          description={t('commandDescription')}
          error={errorOf(processPaths.command)}
        />
        <div className="grid gap-4 sm:grid-cols-3">
          <TextField
            label={t('replicas')}
            name="replicas"
            inputMode="numeric"
            defaultValue={defaults.replicas}
            error={errorOf(processPaths.replicas)}
          />
          <TextField
            label={t('memory')}
            name="memory"
            inputMode="numeric"
            suffix="MiB"
            defaultValue={defaults.memory}
            error={errorOf(processPaths.memory)}
          />
          <TextField
            label={t('cpu')}
            name="cpu"
            inputMode="decimal"
            defaultValue={defaults.cpu}
            error={errorOf(processPaths.cpu)}
          />
        </div>
        <More defaults={defaults} errorOf={errorOf} isOpen={isMoreWrong} />
      </DialogForm>
    </Modal>
  )
}

interface MoreProps {
  defaults: ReturnType<typeof formFromProcess>
  errorOf(path: string): string | undefined
  /** Something in it is wrong. */
  isOpen: boolean
}

/** What few processes need: how it is begun, asked and ended. */
function More({ defaults, errorOf, isOpen }: MoreProps) {
  const t = useTranslations('processes')
  const tDeploy = useTranslations('deploy')
  const [opened, setOpened] = useState(false)
  return (
    <details open={opened || isOpen} onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary className="w-fit cursor-pointer text-muted">{t('more')}</summary>
      <div className="mt-3 space-y-4">
        <TextField
          label={t('entrypoint')}
          hint={tDeploy('optional')}
          description={t('entrypointDescription')}
          name="entrypoint"
          mono
          spellCheck={false}
          defaultValue={defaults.entrypoint}
          error={errorOf(processPaths.entrypoint)}
        />
        <TextField
          label={tDeploy('healthCommand')}
          hint={tDeploy('optional')}
          description={t('healthDescription')}
          name="healthCommand"
          mono
          spellCheck={false}
          defaultValue={defaults.healthCommand}
          error={errorOf(processPaths.healthCommand)}
        />
        <div className="grid grid-cols-2 gap-4 sm:grid-cols-3">
          <TimingFields defaults={defaults} paths={processPaths} errorOf={errorOf} />
          <TextField
            label={tDeploy('stopGrace')}
            name="stopGrace"
            inputMode="decimal"
            suffix={tDeploy('seconds')}
            placeholder={t('asApp')}
            defaultValue={defaults.stopGrace}
            error={errorOf(processPaths.stopGrace)}
          />
        </div>
      </div>
    </details>
  )
}
