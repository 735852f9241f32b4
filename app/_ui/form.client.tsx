'use client'

import { useTranslations } from 'next-intl'
import type { ReactNode, Ref } from 'react'
import { Button } from './button.tsx'
import { cn } from './cn.ts'
import { ModalClose } from './dialog.client.tsx'
import { Notice } from './notice.tsx'

interface FormProps {
  /** What `useAction` gives: there it finds the field that is wrong. */
  form?: Ref<HTMLFormElement>
  onSubmit(data: FormData): void
  /** What no field says, in words. */
  problem: string | null
  pending: boolean
  /** The words on the button that sends it. */
  submit: ReactNode
  tone?: 'primary' | 'danger'
  disabled?: boolean
  /** Whoever looks at it may not change it: no buttons. */
  readOnly?: boolean
  /** Beside that button. */
  actions?: ReactNode
  className?: string
  children?: ReactNode
}

/** Fields, what is wrong with the whole, and the buttons, on the right. */
export function Form(props: FormProps) {
  const { actions, submit, pending, disabled, readOnly = false, tone = 'primary' } = props
  return (
    <Frame
      {...props}
      buttons={
        !readOnly && (
          <div className="flex flex-wrap justify-end gap-2">
            {actions}
            <Button tone={tone} type="submit" pending={pending} disabled={disabled}>
              {submit}
            </Button>
          </div>
        )
      }
    />
  )
}

/** The form of a dialog, which can be left without sending it. */
export function DialogForm({ actions, ...props }: FormProps) {
  const t = useTranslations('common')
  return (
    <Form
      {...props}
      actions={
        <>
          {actions}
          <ModalClose render={<Button>{t('cancel')}</Button>} />
        </>
      }
    />
  )
}

/** The one form of a page, such as to sign in: its button is as wide as its fields. */
export function EntryForm(props: FormProps) {
  return (
    <Frame
      {...props}
      buttons={
        <>
          <Button tone="primary" type="submit" pending={props.pending} className="w-full">
            {props.submit}
          </Button>
          {props.actions}
        </>
      }
    />
  )
}

/** Problems are said in words under the fields, so the browser says none; what is typed never reaches an address. */
function Frame({
  form,
  onSubmit,
  problem,
  className,
  children,
  buttons,
}: FormProps & { buttons: ReactNode }) {
  return (
    <form
      ref={form}
      noValidate
      method="post"
      className={cn('space-y-4', className)}
      onSubmit={(event) => {
        event.preventDefault()
        // React has it rise from a dialog to the form that the dialog's button stands in.
        event.stopPropagation()
        onSubmit(new FormData(event.currentTarget))
      }}
    >
      {children}
      {problem !== null && <Notice tone="danger">{problem}</Notice>}
      {buttons}
    </form>
  )
}
