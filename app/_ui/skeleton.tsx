import { cn } from './cn.ts'

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cn('animate-pulse rounded-md bg-border/70', className)} />
}

interface RowsSkeletonProps {
  rows?: number
  /** In a card that is there already. */
  isInside?: boolean
}

/** In the shape of a list of rows that is on its way. */
export function RowsSkeleton({ rows = 3, isInside = false }: RowsSkeletonProps) {
  return (
    <div className={cn('divide-y', !isInside && 'rounded-xl border bg-surface')}>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders are alike and never move
        <div key={row} className="flex items-center gap-4 px-5 py-4">
          <div className="flex-1 space-y-2">
            <Skeleton className="h-4 w-40" />
            <Skeleton className="h-3 w-64 max-w-full" />
          </div>
          <Skeleton className="h-5 w-20 rounded-full" />
        </div>
      ))}
    </div>
  )
}

/** In the shape of a deployment and its steps. */
export function StepsSkeleton({ steps }: { steps: number }) {
  return (
    <div className="rounded-xl border bg-surface px-5 pt-4 pb-4 shadow-card">
      <Skeleton className="h-6 w-48" />
      <div className="mt-3 space-y-3 pt-1.5">
        {Array.from({ length: steps }, (_, step) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: placeholders are alike and never move
          <div key={step} className="flex items-center gap-3">
            <Skeleton className="size-4 rounded-full" />
            <Skeleton className="h-4 w-40" />
            <Skeleton className="ml-auto h-4 w-8" />
          </div>
        ))}
      </div>
    </div>
  )
}
