import { useTranslations } from 'next-intl'
import { memo } from 'react'
import type { LogLine } from '@/platform/model/events.ts'
import { levelOf, logLineLevels } from '@/platform/model/log-level.ts'
import { AnsiText } from '../../../../../_ui/ansi-text.tsx'
import { Button } from '../../../../../_ui/button.tsx'
import { cn } from '../../../../../_ui/cn.ts'
import { clockOf } from './log-time.ts'
import { countMissing, type MissingLines } from './log-window.ts'

/** So much of a line is drawn in the list; the whole of it beside, and in what is copied. */
const drawnChars = 5_000

const sourceColors = [
  'text-ansi-cyan',
  'text-ansi-magenta',
  'text-ansi-blue',
  'text-ansi-green',
  'text-ansi-yellow',
]

interface LogRowProps {
  line: LogLine
  marks: RegExp | null
  isSelected: boolean
}

export const LogRow = memo(function LogRow({ line, marks, isSelected }: LogRowProps) {
  const level = levelOf(line.text)
  const weight = level === null ? 0 : logLineLevels[level]
  const text = line.text.length > drawnChars ? `${line.text.slice(0, drawnChars)}…` : line.text
  return (
    <div
      className={cn(
        'flex cursor-default gap-3 border-l-2 px-3',
        weight >= logLineLevels.error
          ? 'border-danger'
          : weight === logLineLevels.warn
            ? 'border-warning'
            : line.stream === 'stderr'
              ? 'border-border-strong'
              : 'border-transparent',
        isSelected ? 'bg-accent-soft' : 'hover:bg-sunken',
      )}
    >
      <time dateTime={line.time} className="shrink-0 select-none text-muted max-sm:hidden">
        {clockOf(line.time)}
      </time>
      <span
        className={cn(
          'w-[13ch] shrink-0 select-none truncate max-md:hidden',
          sourceColors[colorOf(`${line.process}.${line.replica}`)],
        )}
      >
        {sourceOf(line)}
      </span>
      <span className="min-w-0 flex-1">
        <AnsiText marks={marks}>{text}</AnsiText>
      </span>
    </div>
  )
})

/** Which replica of which process, counted from 1 as elsewhere on the app's pages; or the task that ran once. */
export function sourceOf({ process, replica }: Pick<LogLine, 'process' | 'replica'>): string {
  return process === 'release' || process === 'run' ? process : `${process}.${replica + 1}`
}

function colorOf(name: string): number {
  let sum = 0
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9_973
  return sum % sourceColors.length
}

export function MissingRow({ missing, onFind }: { missing: MissingLines; onFind(): void }) {
  const t = useTranslations('logs')
  const count = countMissing(missing)
  return (
    <div className="flex items-center gap-3 border-border-strong border-y border-dashed bg-sunken px-3 py-1 font-sans text-[13px] text-muted">
      <span>{missing.isGone ? t('gone', { count }) : t('skipped', { count })}</span>
      {!missing.isGone && (
        <Button size="small" tone="ghost" className="h-6 text-accent-text" onClick={onFind}>
          {t('loadSkipped')}
        </Button>
      )}
    </div>
  )
}
