import { WifiOff } from 'lucide-react'
import { useTranslations } from 'next-intl'
import type { Connection } from './use-event-stream.ts'

/** A quiet word while a live view has lost its connection. */
export function ConnectionNote({ connection }: { connection: Connection }) {
  const t = useTranslations('common')
  return (
    // Empty it takes no place, and is still there for whoever is told of changes.
    <span role="status" className="inline-flex items-center gap-1.5 text-muted text-xs empty:sr-only">
      {connection === 'reconnecting' && (
        <>
          <WifiOff aria-hidden className="size-3.5" />
          {t('reconnecting')}
        </>
      )}
    </span>
  )
}
