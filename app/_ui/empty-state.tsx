import type { LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'
import { cn } from './cn.ts'

interface EmptyStateProps {
  icon: LucideIcon
  title: string
  description: ReactNode
  /** The first thing to do here. */
  action?: ReactNode
  className?: string
}

export function EmptyState({ icon: Icon, title, description, action, className }: EmptyStateProps) {
  return (
    <div
      className={cn(
        'flex flex-col items-center rounded-xl border border-dashed px-6 py-14 text-center',
        className,
      )}
    >
      <span className="mb-4 grid size-11 place-items-center rounded-xl border bg-surface text-accent-text shadow-card">
        <Icon aria-hidden className="size-5" />
      </span>
      <h2 className="font-semibold text-[15px]">{title}</h2>
      <p className="mt-1 max-w-md text-muted">{description}</p>
      {action && <div className="mt-5 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  )
}
