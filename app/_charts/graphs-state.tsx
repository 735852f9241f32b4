import { useTranslations } from 'next-intl'
import { Notice } from '../_ui/notice.tsx'
import { Skeleton } from '../_ui/skeleton.tsx'

const shown = 4

/** What stands for graphs that are on their way, in their shape, each with the numbers below it; or that they failed. */
export function GraphsState({ areThere, hasFailed }: { areThere: boolean; hasFailed: boolean }) {
  const t = useTranslations('metrics')
  if (hasFailed) return <Notice tone="warning">{t('failed')}</Notice>
  if (areThere) return null
  return (
    <div role="status" className="grid gap-4 xl:grid-cols-2">
      <span className="sr-only">{t('loading')}</span>
      {Array.from({ length: shown }, (_, graph) => (
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
