'use client'

import { Dialog } from '@base-ui/react/dialog'
import { type ReactElement, type ReactNode, useState } from 'react'
import { cn } from './cn.ts'

export const backdropStyle =
  'fixed inset-0 z-40 bg-black/40 transition-opacity duration-150 data-ending-style:opacity-0 data-starting-style:opacity-0 dark:bg-black/60'

interface ModalProps {
  open: boolean
  onOpenChange(open: boolean): void
  title: string
  description?: ReactNode
  /** What opens it, where it is beside its trigger. */
  trigger?: ReactElement
  children: ReactNode
}

export function Modal({ open, onOpenChange, title, description, trigger, children }: ModalProps) {
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      {trigger && <Dialog.Trigger render={trigger} />}
      <Dialog.Portal>
        <Dialog.Backdrop className={backdropStyle} />
        <Dialog.Popup
          className={cn(
            'fixed top-[max(1rem,12vh)] left-1/2 z-50 max-h-[80vh] w-[calc(100vw-2rem)] max-w-md -translate-x-1/2 overflow-y-auto rounded-2xl border bg-surface p-6 shadow-popup outline-none',
            'transition-[opacity,scale] duration-150 data-ending-style:scale-98 data-starting-style:scale-98 data-ending-style:opacity-0 data-starting-style:opacity-0',
          )}
        >
          <Dialog.Title className="font-semibold text-lg tracking-tight">{title}</Dialog.Title>
          {description && (
            <Dialog.Description className="mt-1.5 text-muted">{description}</Dialog.Description>
          )}
          <div className="mt-5">{children}</div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

interface DialogButtonProps extends Pick<ModalProps, 'title' | 'description'> {
  trigger: ReactElement
  children(close: () => void): ReactNode
}

/** A button and its dialog; what is in the dialog closes it when it is done. */
export function DialogButton({ children, ...props }: DialogButtonProps) {
  const [open, setOpen] = useState(false)
  return (
    <Modal {...props} open={open} onOpenChange={setOpen}>
      {children(() => setOpen(false))}
    </Modal>
  )
}

/** Which one of some dialogs is open: those that a menu leads to. */
export function useDialogs<Name extends string>() {
  const [open, show] = useState<Name | null>(null)
  return {
    show,
    close: () => show(null),
    of: (name: Name) => ({
      open: open === name,
      onOpenChange: (next: boolean) => show(next ? name : null),
    }),
  }
}

export const ModalClose = Dialog.Close

interface SheetProps {
  open: boolean
  onOpenChange(open: boolean): void
  title: string
  trigger: ReactElement
  children: ReactNode
}

/** The navigation of a narrow screen. */
export function Sheet({ open, onOpenChange, title, trigger, children }: SheetProps) {
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Trigger render={trigger} />
      <Dialog.Portal>
        <Dialog.Backdrop className={backdropStyle} />
        <Dialog.Popup className="fixed inset-y-0 left-0 z-50 flex w-72 max-w-[85vw] flex-col border-r bg-background shadow-popup outline-none transition-transform duration-200 data-ending-style:-translate-x-full data-starting-style:-translate-x-full">
          <Dialog.Title className="sr-only">{title}</Dialog.Title>
          {children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
