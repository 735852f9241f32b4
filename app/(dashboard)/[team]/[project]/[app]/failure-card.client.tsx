'use client'

import { TriangleAlert } from 'lucide-react'
import { useTranslations } from 'next-intl'
import type { Failure } from '@/platform/model/failure.ts'
import { withoutAnsi } from '../../../../_ui/ansi.ts'
import { AnsiText } from '../../../../_ui/ansi-text.tsx'
import { Badge } from '../../../../_ui/badge.tsx'
import { CopyButton } from '../../../../_ui/copy-button.client.tsx'
import { useFailureWords } from './failure-words.ts'

/** Why a deployment failed, what to do about it, and what the container said last. */
export function FailureCard({ failure }: { failure: Failure }) {
  const t = useTranslations('failure')
  const tStep = useTranslations('step.name')
  const { title, text, advice, reason } = useFailureWords(failure)
  const log = failure.lastLogLines.map(withoutAnsi).join('\n')
  return (
    <section role="alert" aria-label={t('label')} className="overflow-hidden rounded-b-xl border-t">
      <div className="flex gap-3 bg-danger-soft px-5 py-4">
        <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-danger" />
        <div className="min-w-0 space-y-1.5">
          <h3 className="font-semibold text-danger">{title}</h3>
          <p className="break-words">{text}</p>
          {reason !== null && (
            <p lang="en" className="break-words font-mono text-[12.5px] text-muted">
              {reason}
            </p>
          )}
          {advice !== null && <p className="break-words">{advice}</p>}
          <ul className="flex flex-wrap gap-1.5 pt-1">
            <li>
              <Badge className="bg-surface">
                {t('step', { step: failure.step === 'queue' ? t('queue') : tStep(failure.step) })}
              </Badge>
            </li>
            {failure.facts.process !== undefined && (
              <li>
                <Badge className="bg-surface">{t('process', { process: failure.facts.process })}</Badge>
              </li>
            )}
            {failure.exitCode !== null && (
              <li>
                <Badge className="bg-surface">{t('exitCode', { code: failure.exitCode })}</Badge>
              </li>
            )}
            {failure.signal !== null && (
              <li>
                <Badge className="bg-surface">{t('signal', { signal: failure.signal })}</Badge>
              </li>
            )}
            {failure.oomKilled && (
              <li>
                <Badge className="bg-surface">{t('outOfMemory')}</Badge>
              </li>
            )}
          </ul>
        </div>
      </div>
      {failure.lastLogLines.length > 0 && (
        <div className="border-t">
          <div className="flex items-center justify-between px-5 pt-2.5">
            <h4 className="text-muted text-xs">{t('lastLines', { count: failure.lastLogLines.length })}</h4>
            <CopyButton text={log} label={t('copyLines')} />
          </div>
          <section
            // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so those with a keyboard must reach it
            tabIndex={0}
            aria-label={t('lastLines', { count: failure.lastLogLines.length })}
            className="-outline-offset-2 max-h-80 overflow-auto px-5 pt-1 pb-4"
          >
            <pre className="font-mono text-[12.5px] leading-5">
              {failure.lastLogLines.map((line, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the lines of a failure never change
                <div key={index} className="min-h-5">
                  <AnsiText>{line}</AnsiText>
                </div>
              ))}
            </pre>
          </section>
        </div>
      )}
    </section>
  )
}
