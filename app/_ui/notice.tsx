import { CircleCheck, CircleX, Info, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { cn } from './cn.ts'

const looks = {
  info: { icon: Info, classes: 'bg-accent-soft text-accent-text' },
  success: { icon: CircleCheck, classes: 'bg-success-soft text-success' },
  warning: { icon: TriangleAlert, classes: 'bg-warning-soft text-warning' },
  danger: { icon: CircleX, classes: 'bg-danger-soft text-danger' },
}

interface NoticeProps {
  tone: keyof typeof looks
  children: ReactNode
  actions?: ReactNode
  className?: string
}

/** A sentence that stands out. One of danger interrupts a screen reader; the others wait their turn. */
export function Notice({ tone, children, actions, className }: NoticeProps) {
  const { icon: Icon, classes } = looks[tone]
  return (
    <div
      role={tone === 'danger' ? 'alert' : 'status'}
      className={cn(
        'flex flex-wrap items-center gap-x-3 gap-y-2 rounded-lg px-3.5 py-2.5',
        classes,
        className,
      )}
    >
      <div className="flex min-w-0 flex-1 items-start gap-3">
        <Icon aria-hidden className="mt-[3px] size-4 shrink-0" />
        <div className="min-w-0 break-words">{children}</div>
      </div>
      {actions}
    </div>
  )
}
