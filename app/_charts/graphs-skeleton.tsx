import { useTranslations } from 'next-intl'
import { Skeleton } from '../_ui/skeleton.tsx'

/** In the shape of graphs that are on their way, each with the numbers below it. */
export function GraphsSkeleton({ graphs }: { graphs: number }) {
  const t = useTranslations('metrics')
  return (
    <div role="status" className="grid gap-4 xl:grid-cols-2">
      <span className="sr-only">{t('loading')}</span>
      {Array.from({ length: graphs }, (_, graph) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders are alike and never move
        <div key={graph} className="min-w-0 rounded-xl border bg-surface p-4 shadow-card">
          <Skeleton className="mb-3 h-4 w-32" />
          <Skeleton className="h-[180px]" />
          <Skeleton className="mt-4 h-3" />
          <Skeleton className="mt-3 h-3" />
        </div>
      ))}
    </div>
  )
}
