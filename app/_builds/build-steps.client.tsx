'use client'

import { useTranslations } from 'next-intl'
import type { BuildStep } from '@/platform/model/build-steps.ts'
import { Badge } from '../_ui/badge.tsx'
import { Duration } from '../_ui/duration.client.tsx'

interface BuildStepsProps {
  steps: readonly BuildStep[]
  isRunning: boolean
  onChoose(line: number): void
}

/** The Dockerfile's steps: how long each took, and which were taken from the cache. Each leads to its lines. */
export function BuildSteps({ steps, isRunning, onChoose }: BuildStepsProps) {
  const t = useTranslations('build')
  const shown = steps.filter(({ instruction }) => instruction !== null)
  if (shown.length === 0) return <div className="h-4" />
  const last = steps.at(-1)
  return (
    <ol
      aria-label={t('steps')}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so those with a keyboard must reach it
      tabIndex={0}
      className="max-h-64 overflow-y-auto px-3 pt-2 pb-3"
    >
      {shown.map((step) => (
        <li key={step.from}>
          <button
            type="button"
            onClick={() => onChoose(step.from)}
            className="flex w-full items-center gap-3 rounded-lg px-2 py-1 text-left hover:bg-sunken"
          >
            <span className="min-w-8 shrink-0 text-muted text-xs tabular-nums sm:min-w-14">{step.place}</span>
            <code className="min-w-0 flex-1 truncate font-mono text-[12.5px]" title={step.instruction ?? ''}>
              {step.instruction}
            </code>
            {step.isCached && <Badge>{t('cached')}</Badge>}
            <span className="w-16 shrink-0 text-right text-muted text-xs">
              {(step.finishedAt !== null || (isRunning && step === last)) && (
                <Duration from={step.startedAt} to={step.finishedAt} />
              )}
            </span>
          </button>
        </li>
      ))}
    </ol>
  )
}
