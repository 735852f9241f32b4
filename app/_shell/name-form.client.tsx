'use client'

import type { ActionResult } from '../_actions/result.ts'
import { TextField } from '../_ui/field.client.tsx'
import { DialogForm } from '../_ui/form.client.tsx'
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
  const { run, pending, form, errorOf, summary } = useAction()
  const problem = summary(['name'])
  return (
    <DialogForm
      form={form}
      className="space-y-5"
      onSubmit={(data) => {
        const name = String(data.get('name') ?? '')
        run(() => action(name), { onDone })
      }}
      problem={problem}
      pending={pending}
      submit={submitLabel}
    >
      <TextField label={label} description={description} name="name" error={errorOf('name')} autoFocus />
    </DialogForm>
  )
}
