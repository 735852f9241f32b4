'use client'

import { SquareTerminal } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { createRunAction } from '../../../../../_actions/jobs.ts'
import { commandFromText } from '../../../../../_deploy/settings-form.ts'
import { Button } from '../../../../../_ui/button.tsx'
import { Modal } from '../../../../../_ui/dialog.client.tsx'
import { TextAreaField, TextField } from '../../../../../_ui/field.client.tsx'
import { DialogForm } from '../../../../../_ui/form.client.tsx'
import { useAction } from '../../../../../_ui/use-action.ts'
import { msFromMinutes } from './minutes.ts'

/** Asks for a command, and leads to what becomes of it. */
export function RunButton({ appId, path }: { appId: string; path: string }) {
  const t = useTranslations('jobs')
  const router = useRouter()
  const [open, setOpen] = useState(false)
  const { run, pending, errorOf, summary, form } = useAction()
  const problem = summary(['command', 'timeoutMs'])

  function submit(data: FormData) {
    const input = {
      command: commandFromText(String(data.get('command')).trim()) ?? [],
      timeoutMs: msFromMinutes(String(data.get('timeout'))),
    }
    run(() => createRunAction(appId, input), { onDone: ({ number }) => router.push(`${path}/${number}`) })
  }

  return (
    <Modal
      open={open}
      onOpenChange={setOpen}
      title={t('run')}
      description={t('runDescription')}
      trigger={
        <Button size="small">
          <SquareTerminal aria-hidden />
          {t('run')}
        </Button>
      }
    >
      <DialogForm form={form} onSubmit={submit} problem={problem} pending={pending} submit={t('runSubmit')}>
        <TextAreaField
          label={t('command')}
          name="command"
          rows={3}
          mono
          autoFocus
          placeholder="bin/report --yesterday"
          description={t('commandDescription')}
          error={errorOf('command')}
        />
        <TextField
          label={t('timeout')}
          name="timeout"
          inputMode="decimal"
          suffix={t('minutes')}
          defaultValue="60"
          className="max-w-48"
          error={errorOf('timeoutMs')}
        />
      </DialogForm>
    </Modal>
  )
}
