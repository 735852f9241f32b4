'use client'

import { CircleCheck, CircleX } from 'lucide-react'
import { useLocale, useTranslations } from 'next-intl'
import { Button } from '../../../../../_ui/button.tsx'
import { formatBytes } from '../../../../../_ui/format.ts'
import { ProgressBar } from '../../../../../_ui/progress-bar.tsx'
import { useProblemText } from '../../../../../_ui/use-problem-text.ts'
import { shownName } from './file-paths.ts'
import type { Upload, Uploads } from './use-uploads.ts'

/** Files on their way up, and how it went. */
export function UploadList({ uploads }: { uploads: Uploads }) {
  const t = useTranslations('files')
  if (uploads.all.length === 0) return null
  const isOver = uploads.all.every(({ state }) => state !== 'waiting' && state !== 'sending')
  return (
    <section aria-label={t('uploads')} className="border-t px-4 py-3">
      <ul className="space-y-2.5">
        {uploads.all.map((upload) => (
          <UploadRow key={upload.id} upload={upload} uploads={uploads} />
        ))}
      </ul>
      {isOver && (
        <Button size="small" tone="ghost" className="mt-2" onClick={uploads.clear}>
          {t('clear')}
        </Button>
      )}
    </section>
  )
}

function UploadRow({ upload, uploads }: { upload: Upload; uploads: Uploads }) {
  const t = useTranslations('files')
  const locale = useLocale()
  const problemText = useProblemText()
  const { id, sizeBytes, doneBytes, state, problem } = upload
  const name = shownName(upload.name)
  const isUnderWay = state === 'waiting' || state === 'sending'
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
      {state === 'done' && <CircleCheck aria-hidden className="size-4 shrink-0 text-success" />}
      {state === 'refused' && <CircleX aria-hidden className="size-4 shrink-0 text-danger" />}
      <span className="min-w-0 flex-[1_1_12rem] break-all">{name}</span>
      <span role="status" className="text-muted text-xs tabular-nums">
        {state === 'sending'
          ? t('sent', { done: formatBytes(doneBytes, locale), total: formatBytes(sizeBytes, locale) })
          : t(`upload.${state}`)}
      </span>
      {isUnderWay && (
        <Button size="small" aria-label={t('stopOf', { name })} onClick={() => uploads.stop(id)}>
          {t('stop')}
        </Button>
      )}
      {problem?.code === 'conflict' && (
        <Button size="small" aria-label={t('replaceOf', { name })} onClick={() => uploads.replace(id)}>
          {t('replace')}
        </Button>
      )}
      {state === 'sending' && (
        <ProgressBar
          label={t('progressOf', { name })}
          value={sizeBytes === 0 ? 1 : doneBytes / sizeBytes}
          className="w-full"
        />
      )}
      {problem !== null && <p className="w-full text-danger text-xs">{problemText.of(problem)}</p>}
    </li>
  )
}
