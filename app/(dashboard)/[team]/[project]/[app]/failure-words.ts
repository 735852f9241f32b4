import { useTranslations } from 'next-intl'
import { createElement, type ReactNode } from 'react'
import { hasFacts } from '@/platform/model/facts.ts'
import { type Failure, failureFacts, isFailureCode } from '@/platform/model/failure.ts'

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
  const { code, facts, message } = failure
  if (!isFailureCode(code)) return { title: t('unknown.title'), text: message, advice: null, reason: null }
  const title = t(`code.${code}.title`)
  if (!hasFacts(facts, failureFacts[code])) return { title, text: message, advice: null, reason: null }
  return {
    title,
    text: t.rich(`code.${code}.text`, {
      ...facts,
      code: (chunks) => createElement('code', { className: 'font-mono text-[13px]' }, chunks),
    }),
    advice: t(`code.${code}.advice`, facts),
    // These two say it in their own sentence.
    reason:
      code === 'unhealthy' || code === 'image-not-found' || facts.reason === undefined
        ? null
        : String(facts.reason),
  }
}
