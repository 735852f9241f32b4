import { useLocale, useTranslations } from 'next-intl'
import { createElement, type ReactNode } from 'react'
import { hasFacts } from '@/platform/model/facts.ts'
import { type Failure, failureFacts, isFailureCode } from '@/platform/model/failure.ts'
import { formatBytes } from '../../../../_ui/format.ts'

export interface FailureWords {
  title: string
  text: ReactNode
  /** Null where the text says already what to do. */
  advice: string | null
  /** What the engine or a registry said: English, and for those who know what it is about. */
  reason: string | null
}

/** A failure in the reader's language; in the worker's own sentence where a newer or older one knew other facts. */
export function useFailureWords(failure: Failure): FailureWords {
  const t = useTranslations('failure')
  const locale = useLocale()
  const { code, message } = failure
  if (!isFailureCode(code)) return { title: t('unknown.title'), text: message, advice: null, reason: null }
  const title = t(`code.${code}.title`)
  if (!hasFacts(failure.facts, failureFacts[code]))
    return { title, text: message, advice: null, reason: null }
  const size = (bytes: unknown) => (bytes === undefined ? 'unknown' : formatBytes(Number(bytes), locale))
  const { limitBytes, peakBytes } = failure.facts
  // 0: whatever is from 200 to 399.
  const facts = { expected: 0, ...failure.facts, limit: size(limitBytes), peak: size(peakBytes) }
  const { reason, variable } = failure.facts
  const asks = code === 'release-failed' && variable !== undefined
  const advice = t(`code.${code}.advice`, facts)
  return {
    title,
    text: t.rich(`code.${code}.text`, {
      ...facts,
      code: (chunks) => createElement('code', { className: 'font-mono text-[13px]' }, chunks),
    }),
    advice: asks ? `${t('missingVariable', { variable })} ${advice}` : advice,
    // These two say it in their own sentence.
    reason:
      code === 'unhealthy' || code === 'image-not-found' || reason === undefined ? null : String(reason),
  }
}
