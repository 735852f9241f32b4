'use client'

import { SquareTerminal } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { createRunAction } from '../../../../../_actions/jobs.ts'
import { commandFromText } from '../../../../../_deploy/settings-form.ts'
import { Button } from '../../../../../_ui/button.tsx'
import { Modal, ModalClose } from '../../../../../_ui/dialog.client.tsx'
import { TextAreaField, TextField } from '../../../../../_ui/field.client.tsx'
import { Notice } from '../../../../../_ui/notice.tsx'
import { useAction } from '../../../../../_ui/use-action.ts'
import { msFromMinutes } from './minutes.ts'

/** Asks for a command, and leads to what becomes of it. */
export function RunButton({ appId, path }: { appId: string; path: string }) {
  const t = useTranslations('jobs')
  const tCommon = useTranslations('common')
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
      <form
        ref={form}
        noValidate
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault()
          submit(new FormData(event.currentTarget))
        }}
      >
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
        {problem !== null && <Notice tone="danger">{problem}</Notice>}
        <div className="flex justify-end gap-2">
          <ModalClose render={<Button>{tCommon('cancel')}</Button>} />
          <Button tone="primary" type="submit" pending={pending}>
            {t('runSubmit')}
          </Button>
        </div>
      </form>
    </Modal>
  )
}
