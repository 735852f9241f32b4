import { BellRing } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { Badge } from './badge.tsx'

/** How many alerts fire; nothing where none does. */
export function AlertBadge({ count }: { count: number }) {
  const t = useTranslations('alerts')
  if (count === 0) return null
  return (
    <Badge tone="danger">
      <BellRing aria-hidden />
      {t('firingCount', { count })}
    </Badge>
  )
}
