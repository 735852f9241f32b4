import {
  AppWindow,
  BellRing,
  Box,
  HeartPulse,
  LifeBuoy,
  type LucideIcon,
  Rocket,
  Scaling,
  Settings2,
  ShieldCheck,
  SquareTerminal,
} from 'lucide-react'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import {
  type AppEventArea,
  type AppEventKind,
  areaOf,
  isTrouble,
  type TimelineEntry,
} from '@/platform/model/app-event-kinds.ts'
import { cn } from '../../../../../_ui/cn.ts'
import { RelativeTime } from '../../../../../_ui/relative-time.client.tsx'
import { useSettingWords } from '../setting-words.ts'
import { useEventWords } from './event-words.ts'

const icons: Record<AppEventArea, LucideIcon> = {
  deployment: Rocket,
  configuration: Settings2,
  scaling: Scaling,
  container: Box,
  run: SquareTerminal,
  health: HeartPulse,
  alert: BellRing,
  certificate: ShieldCheck,
  recovery: LifeBuoy,
  app: AppWindow,
}

const good: readonly AppEventKind[] = [
  'deployment.live',
  'deployment.rolled-back',
  'health.recovered',
  'alert.recovered',
  'certificate.issued',
  'recovery.mended',
]

/** One thing that happened: what, to what, by whom and when. */
export function TimelineRow({ entry, path }: { entry: TimelineEntry; path: string }) {
  const t = useTranslations('timeline')
  const { nameOf, textOf } = useSettingWords()
  const { event, actor, at } = entry
  const { title, detail } = useEventWords(event)
  const Icon = icons[areaOf(event.kind)]
  const changes = 'changes' in event ? event.changes : []
  return (
    <li className="flex gap-3 px-4 py-3 sm:px-5">
      <span
        className={cn(
          'mt-0.5 grid size-7 shrink-0 place-items-center rounded-full border',
          isTrouble(event.kind)
            ? 'border-danger/40 text-danger'
            : good.includes(event.kind)
              ? 'border-success/40 text-success'
              : 'text-muted',
        )}
      >
        <Icon aria-hidden className="size-3.5" />
      </span>
      <div className="min-w-0 flex-1">
        <p className="break-words">
          {isTrouble(event.kind) && <span className="sr-only">{t('trouble')} </span>}
          {'number' in event ? (
            <Link
              href={`${path}/deployments/${event.number}`}
              className="rounded font-medium hover:underline"
            >
              {title}
            </Link>
          ) : (
            <span className="font-medium">{title}</span>
          )}
        </p>
        {detail !== null && <p className="break-words text-muted">{detail}</p>}
        {changes.length > 0 && (
          <ul className="mt-1.5 space-y-0.5 text-[12.5px]">
            {changes.slice(0, 20).map(({ field, before, after }) => (
              <li key={field} className="break-all">
                <span>{nameOf(field)}</span>
                <span className="text-muted">
                  : <span className="font-mono">{textOf(field, before)}</span>{' '}
                </span>
                <span aria-hidden className="text-muted">
                  →{' '}
                </span>
                <span className="sr-only">{t('changedTo')} </span>
                <span className="font-mono">{textOf(field, after)}</span>
              </li>
            ))}
            {changes.length > 20 && (
              <li className="text-muted">{t('moreChanges', { count: changes.length - 20 })}</li>
            )}
          </ul>
        )}
        <p className="mt-0.5 text-muted text-xs">
          {actor === null ? t('byBerth') : t('by', { name: actor })}
          {' · '}
          <RelativeTime at={at} />
        </p>
      </div>
    </li>
  )
}
