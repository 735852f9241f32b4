'use client'

import { FileUp } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useLocale, useTranslations } from 'next-intl'
import { useRef, useState } from 'react'
import { maxUploadBytes } from '@/platform/model/builds.ts'
import { Button } from '../_ui/button.tsx'
import { cn } from '../_ui/cn.ts'
import { Modal } from '../_ui/dialog.client.tsx'
import { formatBytes } from '../_ui/format.ts'
import { Notice } from '../_ui/notice.tsx'
import { ProgressBar } from '../_ui/progress-bar.tsx'
import { UploadRefused, uploadSource, whyNot } from './upload-source.ts'

interface UploadButtonProps {
  appId: string
  /** Of the app, below which the deployment is watched. */
  path: string
}

/** Source as an archive, by drag and drop or chosen: sent, built and deployed. */
export function UploadButton({ appId, path }: UploadButtonProps) {
  const t = useTranslations('upload')
  const locale = useLocale()
  const router = useRouter()
  const input = useRef<HTMLInputElement>(null)
  const upload = useRef<AbortController | null>(null)
  const [open, setOpen] = useState(false)
  const [isOver, setOver] = useState(false)
  const [sending, setSending] = useState<{ file: File; doneBytes: number } | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const size = (bytes: number) => formatBytes(bytes, locale)

  async function send(file: File): Promise<void> {
    const wrong = whyNot(file)
    setProblem(wrong === null ? null : t(`wrong.${wrong}`, { limit: size(maxUploadBytes) }))
    if (wrong !== null) return
    setSending({ file, doneBytes: 0 })
    const controller = new AbortController()
    upload.current = controller
    try {
      const onProgress = (doneBytes: number) => setSending({ file, doneBytes })
      const number = await uploadSource(appId, file, { onProgress, signal: controller.signal })
      setOpen(false)
      router.push(`${path}/deployments/${number}`)
      router.refresh()
    } catch (error) {
      if (controller.signal.aborted) return
      const reason = error instanceof UploadRefused ? error.message : ''
      setProblem(reason === '' ? t('lost') : t('refused', { reason }))
    } finally {
      setSending(null)
    }
  }

  function close(isOpen: boolean): void {
    setOpen(isOpen)
    setProblem(null)
    if (!isOpen) upload.current?.abort(new Error('given up'))
  }

  const percent = sending === null ? 0 : Math.floor((sending.doneBytes / sending.file.size) * 100)
  return (
    <Modal
      open={open}
      onOpenChange={close}
      title={t('title')}
      description={t('description')}
      trigger={
        <Button>
          <FileUp aria-hidden />
          {t('button')}
        </Button>
      }
    >
      <div className="space-y-4">
        {sending === null ? (
          <button
            type="button"
            data-over={isOver || undefined}
            onClick={() => input.current?.click()}
            onDragOver={(event) => {
              event.preventDefault()
              setOver(true)
            }}
            onDragLeave={() => setOver(false)}
            onDrop={(event) => {
              event.preventDefault()
              setOver(false)
              const [file] = event.dataTransfer.files
              if (file !== undefined) send(file)
            }}
            className={cn(
              'flex w-full flex-col items-center gap-1.5 rounded-xl border-2 border-border-strong/60 border-dashed px-4 py-10 text-center',
              'hover:bg-sunken data-over:border-accent data-over:bg-accent-soft',
            )}
          >
            <FileUp aria-hidden className="size-6 text-muted" />
            <span className="font-medium">{t('drop')}</span>
            <span className="text-muted text-[13px]">{t('kinds', { limit: size(maxUploadBytes) })}</span>
          </button>
        ) : (
          <div className="space-y-2">
            <p className="break-words">{sending.file.name}</p>
            <ProgressBar label={t('progress')} value={sending.doneBytes / sending.file.size} />
            <div className="flex items-center justify-between gap-3">
              <span className="text-muted text-[13px] tabular-nums">
                {percent === 100
                  ? t('storing')
                  : t('sent', { done: size(sending.doneBytes), total: size(sending.file.size), percent })}
              </span>
              <Button size="small" onClick={() => upload.current?.abort(new Error('given up'))}>
                {t('stop')}
              </Button>
            </div>
          </div>
        )}
        <input
          ref={input}
          type="file"
          aria-label={t('file')}
          tabIndex={-1}
          accept=".zip,.tar,.gz,.tgz"
          className="sr-only"
          onChange={(event) => {
            const [file] = event.currentTarget.files ?? []
            event.currentTarget.value = ''
            if (file !== undefined) send(file)
          }}
        />
        {problem !== null && <Notice tone="danger">{problem}</Notice>}
      </div>
    </Modal>
  )
}
