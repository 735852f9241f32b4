'use client'

import { Toast } from '@base-ui/react/toast'
import { CircleCheck, CircleX, X } from 'lucide-react'
import type { ReactNode } from 'react'
import { cn } from './cn.ts'

const manager = Toast.createToastManager()

/** Short words about what was done. */
export function toast(tone: 'success' | 'danger', title: string, description?: string): void {
  manager.add({ title, description, type: tone, priority: tone === 'danger' ? 'high' : 'low' })
}

export function Toaster({ closeLabel, children }: { closeLabel: string; children: ReactNode }) {
  return (
    <Toast.Provider toastManager={manager} limit={3}>
      {children}
      <Toast.Portal>
        <Toast.Viewport className="fixed right-4 bottom-4 z-60 flex w-[calc(100vw-2rem)] max-w-sm flex-col gap-2">
          <ToastList closeLabel={closeLabel} />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  )
}

function ToastList({ closeLabel }: { closeLabel: string }) {
  const { toasts } = Toast.useToastManager()
  return toasts.map((item) => (
    <Toast.Root
      key={item.id}
      toast={item}
      className="rounded-xl border bg-surface p-3.5 shadow-popup transition-[opacity,translate] duration-200 data-ending-style:translate-y-2 data-starting-style:translate-y-2 data-ending-style:opacity-0 data-starting-style:opacity-0 data-limited:hidden"
    >
      <Toast.Content className="flex items-start gap-3">
        {item.type === 'danger' ? (
          <CircleX aria-hidden className="mt-0.5 size-4 shrink-0 text-danger" />
        ) : (
          <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0 text-success" />
        )}
        <div className="min-w-0 flex-1">
          <Toast.Title className="font-medium" />
          <Toast.Description className="break-words text-muted" />
        </div>
        <Toast.Close
          aria-label={closeLabel}
          className={cn('-m-1 rounded-md p-1 text-muted hover:bg-sunken hover:text-foreground')}
        >
          <X aria-hidden className="size-4" />
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ))
}
