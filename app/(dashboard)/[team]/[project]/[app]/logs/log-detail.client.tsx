'use client'

import { Crosshair, Link2, X } from 'lucide-react'
import { useTranslations } from 'next-intl'
import type { LogLine } from '@/platform/model/events.ts'
import { levelOf } from '@/platform/model/log-level.ts'
import { withoutAnsi } from '../../../../../_ui/ansi.ts'
import { Button } from '../../../../../_ui/button.tsx'
import { CopyButton } from '../../../../../_ui/copy-button.client.tsx'
import { termFor } from './log-filter.ts'
import { sourceOf } from './log-row.tsx'

const shownFields = 40

interface LogDetailProps {
  line: LogLine
  /** Number of its deployment, where it is known. */
  deployment: number | null
  link: string
  /** Null where nothing stands between the line and those around it. */
  onContext: (() => void) | null
  onTerm(term: string): void
  onClose(): void
}

/** Everything about one line. */
export function LogDetail({ line, deployment, link, onContext, onTerm, onClose }: LogDetailProps) {
  const t = useTranslations('logs')
  const level = levelOf(line.text)
  const facts: [string, string][] = [
    [t('time'), line.time],
    [t('process'), sourceOf(line)],
    [t('stream'), line.stream],
    ...(level === null ? [] : [[t('level'), level] as [string, string]]),
    ...(deployment === null ? [] : [[t('deployment'), `#${deployment}`] as [string, string]]),
    [t('line'), String(line.number)],
  ]
  const fields = fieldsOf(line.text)
  return (
    <section
      aria-label={t('detail')}
      className="max-h-[45%] shrink-0 overflow-auto border-t bg-sunken px-4 py-3"
    >
      <div className="mb-2 flex flex-wrap items-center gap-1.5">
        <CopyButton withWords text={withoutAnsi(line.text)} label={t('copyLine')} />
        <CopyButton withWords text={() => new URL(link, window.location.href).href} label={t('copyLink')} />
        {onContext !== null && (
          <Button size="small" onClick={onContext}>
            <Crosshair aria-hidden />
            {t('context')}
          </Button>
        )}
        <a href={link} className="sr-only focus:not-sr-only">
          <Link2 aria-hidden />
          {t('permalink')}
        </a>
        <Button size="icon" tone="ghost" className="ml-auto" aria-label={t('closeDetail')} onClick={onClose}>
          <X aria-hidden />
        </Button>
      </div>
      <dl className="flex flex-wrap gap-x-6 gap-y-1 text-[13px]">
        {facts.map(([name, value]) => (
          <div key={name} className="flex gap-2">
            <dt className="text-muted">{name}</dt>
            <dd className="font-mono text-[12.5px]">{value}</dd>
          </div>
        ))}
      </dl>
      <pre className="mt-2 whitespace-pre-wrap font-mono text-[12.5px] [overflow-wrap:anywhere]">
        {withoutAnsi(line.text)}
      </pre>
      {fields.length > 0 && (
        <ul aria-label={t('fields')} className="mt-2 flex flex-wrap gap-1.5">
          {fields.map(([path, value]) => (
            <li key={path} className="max-w-full">
              <Button
                size="small"
                className="h-auto min-h-7 max-w-full whitespace-normal py-0.5 text-left font-mono text-[12px] [overflow-wrap:anywhere]"
                title={t('findField')}
                onClick={() => onTerm(termFor(path, value))}
              >
                <span className="text-muted">{path}</span> {value}
              </Button>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

/** Of a line of JSON, those that hold one value each. */
function fieldsOf(text: string): [path: string, value: string][] {
  if (!text.startsWith('{')) return []
  let whole: unknown
  try {
    whole = JSON.parse(text)
  } catch {
    return []
  }
  const found: [string, string][] = []
  const look = (value: unknown, path: string, depth: number) => {
    if (found.length >= shownFields) return
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      if (depth > 4) return
      for (const [key, inner] of Object.entries(value))
        look(inner, path === '' ? key : `${path}.${key}`, depth + 1)
    } else if (!Array.isArray(value) && /^[A-Za-z_@][\w.@-]*$/.test(path)) {
      const shown = String(value)
      if (shown !== '' && shown.length <= 200) found.push([path, shown])
    }
  }
  look(whole, '', 0)
  return found
}
