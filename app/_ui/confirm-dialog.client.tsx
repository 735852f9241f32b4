'use client'

import { useTranslations } from 'next-intl'
import { type ReactElement, type ReactNode, useState } from 'react'
import type { ActionResult } from '../_actions/result.ts'
import { Modal } from './dialog.client.tsx'
import { TextField } from './field.client.tsx'
import { DialogForm } from './form.client.tsx'
import { useAction } from './use-action.ts'

interface ConfirmDialogProps {
  title: string
  description: ReactNode
  confirmLabel: string
  /** Default: danger. */
  tone?: 'primary' | 'danger'
  /** What must be typed first, for what can't be undone. */
  typed?: string
  trigger?: ReactElement
  open?: boolean
  onOpenChange?: (open: boolean) => void
  action: () => Promise<ActionResult<unknown>>
  onDone?: () => void
  done?: string
  /** Whether the page reads itself anew then; default true. */
  refresh?: boolean
}

/** Asks before something is lost. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { title, description, confirmLabel, typed, trigger, action, onDone, done } = props
  const t = useTranslations('common')
  const [ownOpen, setOwnOpen] = useState(false)
  const [text, setText] = useState('')
  const { run, pending, summary, form, clear } = useAction({ refresh: props.refresh ?? true })
  const open = props.open ?? ownOpen

  function setOpen(next: boolean) {
    setText('')
    clear()
    setOwnOpen(next)
    props.onOpenChange?.(next)
  }

  const problem = summary()
  return (
    <Modal open={open} onOpenChange={setOpen} title={title} description={description} trigger={trigger}>
      <DialogForm
        form={form}
        onSubmit={() => {
          run(action, {
            done,
            onDone: () => {
              setOpen(false)
              onDone?.()
            },
          })
        }}
        problem={problem}
        pending={pending}
        submit={confirmLabel}
        tone={props.tone ?? 'danger'}
        disabled={typed !== undefined && text !== typed}
      >
        {typed !== undefined && (
          <TextField
            label={t.rich('typeToConfirm', {
              name: typed,
              code: (chunks) => (
                <code className="rounded bg-sunken px-1 py-0.5 font-mono text-[13px]">{chunks}</code>
              ),
            })}
            value={text}
            onValueChange={setText}
            autoFocus
          />
        )}
      </DialogForm>
    </Modal>
  )
}
