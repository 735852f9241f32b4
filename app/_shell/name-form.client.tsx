'use client'

import { useTranslations } from 'next-intl'
import type { ActionResult } from '../_actions/result.ts'
import { Button } from '../_ui/button.tsx'
import { ModalClose } from '../_ui/dialog.client.tsx'
import { TextField } from '../_ui/field.client.tsx'
import { Notice } from '../_ui/notice.tsx'
import { useAction } from '../_ui/use-action.ts'

interface NameFormProps<Data> {
  label: string
  description?: string
  submitLabel: string
  action: (name: string) => Promise<ActionResult<Data>>
  onDone(data: Data): void
}

/** Asks for a name in a dialog. */
export function NameForm<Data>({ label, description, submitLabel, action, onDone }: NameFormProps<Data>) {
  const t = useTranslations('common')
  const { run, pending, form, errorOf, summary } = useAction()
  const problem = summary(['name'])
  return (
    <form
      ref={form}
      noValidate
      className="space-y-5"
      onSubmit={(event) => {
        event.preventDefault()
        const name = String(new FormData(event.currentTarget).get('name') ?? '')
        run(() => action(name), { onDone })
      }}
    >
      <TextField label={label} description={description} name="name" error={errorOf('name')} autoFocus />
      {problem !== null && <Notice tone="danger">{problem}</Notice>}
      <div className="flex justify-end gap-2">
        <ModalClose render={<Button>{t('cancel')}</Button>} />
        <Button tone="primary" type="submit" pending={pending}>
          {submitLabel}
        </Button>
      </div>
    </form>
  )
}
