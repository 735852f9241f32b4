import type { ComponentProps, ReactNode } from 'react'
import { cn } from './cn.ts'

export function Card({ className, ...props }: ComponentProps<'section'>) {
  return <section {...props} className={cn('rounded-xl border bg-surface shadow-card', className)} />
}

interface CardHeaderProps {
  title: ReactNode
  description?: ReactNode
  actions?: ReactNode
  titleId?: string
}

export function CardHeader({ title, description, actions, titleId }: CardHeaderProps) {
  return (
    <header className="flex flex-wrap items-start justify-between gap-x-4 gap-y-3 px-5 pt-4">
      <div className={cn('min-w-0', description ? 'flex-[1_1_14rem]' : 'flex-1')}>
        <h2 id={titleId} className="font-semibold text-[15px] leading-6">
          {title}
        </h2>
        {description && <p className="mt-0.5 max-w-prose text-muted">{description}</p>}
      </div>
      {actions && <div className="flex items-center gap-2">{actions}</div>}
    </header>
  )
}
